"""Check that mmaction2 accepts the release of a package."""

from __future__ import annotations


def require_range(package: str, version: str, bounds: tuple[str, str], remedy: str):
    """Raise ImportError unless `bounds[0] <= version < bounds[1]`."""
    from mmengine.utils import digit_version  # once mmengine is known to be there

    low, high = bounds
    if not digit_version(low) <= digit_version(version) < digit_version(high):
        raise ImportError(
            f'{package}=={version} does not work with mmaction2, which needs '
            f'{package}>={low},<{high}: {remedy}'
        )
