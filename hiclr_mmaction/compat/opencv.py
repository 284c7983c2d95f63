"""Workarounds for opencv-python and opencv-contrib-python."""

from __future__ import annotations


def check_opencv() -> None:
    """Raise an ImportError that says what to install if OpenCV lacks a system library.

    The wheels that mmengine and mmaction2 ask for need libGL, which a machine without a
    screen may not have.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'OpenCV cannot be imported ({error}): on a machine without libGL, '
            'apt-get install libgl1 libglib2.0-0, or pip install --force-reinstall '
            '--no-deps opencv-python-headless'
        ) from error
