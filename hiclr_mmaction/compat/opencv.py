"""Workarounds for opencv-python and opencv-contrib-python."""

from __future__ import annotations


def check_opencv() -> None:
    """Say what to install when OpenCV lacks a library of the system.

    For opencv-python and opencv-contrib-python, which mmengine and mmaction2 ask
    for by name: their wheels need libGL, which a machine without a screen may
    not have.

    Raises:
        ImportError: If `import cv2` fails.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'OpenCV cannot be imported ({error}): on a machine without libGL, '
            'apt-get install libgl1 libglib2.0-0, or pip install --force-reinstall '
            '--no-deps opencv-python-headless'
        ) from error
