"""Clips with and without labels. Where there is no label, it is missing, None or -1."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from ..annotations.clip_checks import sample_label


def labels_of(dataset: BaseDataset) -> Iterator[int | None]:
    """The label of each clip, None where there is none; no clip is read."""
    for i in range(len(dataset)):
        # Not the data set's own get_data_info, which may read the clip.
        yield sample_label(BaseDataset.get_data_info(dataset, i))


def place_of(dataset: BaseDataset) -> str:
    """File and split of a data set, for messages."""
    split = getattr(dataset, 'split', None)
    return f'{dataset.ann_file or type(dataset).__name__}' + (
        '' if split is None else f', split {split!r}'
    )


def keep_labelled(dataset: BaseDataset) -> list[dict]:
    """The clips of a data set that is being loaded, as its ``filter_cfg`` says.

    With ``filter_cfg=dict(labelled=True)`` those without a label are left out.

    Raises:
        ValueError: If no clip is left.
    """
    clips = dataset.data_list
    if not (dataset.filter_cfg or {}).get('labelled'):
        return clips
    kept = [clip for clip in clips if sample_label(clip) is not None]
    if not kept:
        raise ValueError(
            f'{place_of(dataset)}: none of {len(clips)} clips has a label; label some, or '
            'only pre-train on them.'
        )
    if len(kept) < len(clips):
        print_log(
            f'{place_of(dataset)}: {len(kept)} of {len(clips)} clips have a label; the '
            'others are left out.',
            logger='current',
        )
    return kept
