"""A data set that stays in memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import DATASETS
from mmengine.device import get_device
from mmengine.registry import FUNCTIONS
from torch import Tensor
from torch.utils.data import Dataset


@DATASETS.register_module()
class ResidentClips(Dataset):
    """Clips of another data set, packed once, on the device or in shared memory.

    A batch is made by indexing one tensor, without workers, collating or, if the clips are
    on the device, a copy. The pipeline runs only once for each clip, so it must not make
    random views; use ``SkeletonViewPreprocessor(views=...)`` for them.

    Give the loader ``num_workers=0`` (or more where the clips are in shared memory) and
    ``collate_fn=dict(type='resident_collate')``.

    Args:
        dataset (dict): The data set of the clips.
        device (str): ``'auto'``: the GPU of this process if the clips take at most
            ``share`` of its free memory, otherwise shared memory; or ``'cpu'``.
        share (float): See ``device``.

    Raises:
        ValueError: If the pipeline makes views, or clips differ in shape.
    """

    def __init__(self, dataset: dict, device: str = 'auto', share: float = 0.5) -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(
                f"ResidentClips: device={device!r} is not 'auto' or 'cpu'."
            )
        source = DATASETS.build(dataset)
        self.metainfo = source.metainfo
        packed = [source[index] for index in range(len(source))]
        self.data_samples = [sample['data_samples'] for sample in packed]
        self.clips = _stack([sample['inputs'] for sample in packed])
        if device == 'auto' and get_device() == 'cuda':
            free, _ = torch.cuda.mem_get_info()
            if self.clips.nbytes <= share * free:
                self.clips = self.clips.cuda()

    def __len__(self) -> int:
        return len(self.data_samples)

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=self.clips[index], data_samples=self.data_samples[index])

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch at once, as PyTorch's loader asks for it."""
        rows = torch.tensor(indices)
        if self.clips.is_cuda:
            rows = rows.pin_memory().to(self.clips.device, non_blocking=True)
        return dict(
            inputs=self.clips[rows],
            data_samples=[self.data_samples[index] for index in indices],
        )


def _stack(clips: list[Tensor]) -> Tensor:
    """Clips in shared memory, checked."""
    if not all(isinstance(clip, Tensor) for clip in clips):
        raise ValueError(
            'ResidentClips: the pipeline makes views, which would be the same in every '
            'epoch; remove GrowingAugmentation and set model.data_preprocessor.views.'
        )
    shapes = {tuple(clip.shape) for clip in clips}
    if len(shapes) != 1:
        raise ValueError(
            f'ResidentClips: the clips have the shapes {sorted(shapes)}; add '
            'SkeletonAlign to the pipeline.'
        )
    return torch.stack(clips).share_memory_()


@FUNCTIONS.register_module()
def resident_collate(batch: dict) -> dict:
    """The batch as :class:`ResidentClips` gives it."""
    return batch
