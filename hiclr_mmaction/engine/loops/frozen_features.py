"""Features of a frozen encoder, held in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmaction.models import GCNHead, RecognizerGCN
from mmaction.structures import ActionDataSample
from mmengine.dist import all_gather, all_gather_object, get_rank, get_world_size
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from ...models.modules import pool_map


class FrozenFeatures(Dataset):
    """Features ``(N, K, C, T, V)`` and labels of a data set, in its order.

    ``K`` cuts of each clip, pooled over persons and over the frames and joints that the
    head does not keep apart. A batch is one indexing of the features (:meth:`__getitems__`
    is what a ``DataLoader`` asks for first), laid out as a backbone's output is.
    """

    def __init__(
        self,
        features: Tensor,
        data_samples: Sequence[ActionDataSample],
        metainfo: Mapping[str, Any],
    ) -> None:
        self.features = features
        self.data_samples = data_samples
        self.metainfo = metainfo

    def __len__(self) -> int:
        return len(self.data_samples)

    def __getitems__(self, indices: list[int]) -> dict[str, Any]:
        """A batch; its inputs are ``(N, K, M, C, T, V)`` with one M."""
        return dict(
            inputs=self.features[indices][:, :, None],
            data_samples=[self.data_samples[i] for i in indices],
        )

    def loader(self, like: DataLoader) -> DataLoader:
        """A loader of the features in the batches, and the order, of another one."""
        if like.batch_size is None:
            batches: dict[str, Any] = dict(batch_sampler=like.batch_sampler)
        else:
            batches = dict(
                batch_size=like.batch_size,
                sampler=like.sampler,
                drop_last=like.drop_last,
            )
        return DataLoader(
            self, collate_fn=lambda batch: batch, generator=like.generator, **batches
        )


def check_recognizer(model: torch.nn.Module, loop: str) -> None:
    """Raise a ValueError that names the loop if the classifier's input is not known."""
    head = getattr(model, 'cls_head', None)
    if not isinstance(model, RecognizerGCN) or not isinstance(head, GCNHead):
        raise ValueError(
            f'{loop}: the model is {type(model).__name__} with the head '
            f'{type(head).__name__}; set model.type=RecognizerGCN and '
            'model.cls_head.type=GCNHead.'
        )


@torch.no_grad()
def extract_features(model: RecognizerGCN, loader: DataLoader) -> FrozenFeatures:
    """Run the encoder once over the data set of a loader.

    Each process takes its share of the clips, and every one gets all features.

    Args:
        model (RecognizerGCN): In evaluation mode.
        loader (DataLoader): Its data set, collation, batch size and workers are used, not
            its order.

    Returns:
        FrozenFeatures: On the device of the model.

    Raises:
        ValueError: If the clips are not packed as :class:`RecognizerGCN` takes them.
    """
    size = len(loader.dataset)  # type: ignore[arg-type]
    features, data_samples = [], []
    for batch in _share_of_rank(loader):
        # Before the preprocessor moves them: labels are read one by one, on the CPU.
        data_samples.extend(batch['data_samples'])
        inputs = model.data_preprocessor(batch, False)['inputs']
        if not isinstance(inputs, Tensor) or inputs.dim() != 6:
            shape = getattr(inputs, 'shape', None)
            found = type(inputs).__name__ if shape is None else tuple(shape)
            raise ValueError(
                'RecognizerGCN takes batches (N, clips, M, T, V, C), but the loader and '
                f'the data preprocessor give {found}; end the pipeline with '
                'FormatGCNInput and PackActionInputs.'
            )
        x, _ = model.extract_feat(inputs)
        x = pool_map(x, **getattr(model.cls_head, 'pool_cfg', {}))
        features.append(x.float().unflatten(0, inputs.shape[:2]))
    shares = torch.stack(all_gather(torch.cat(features)), dim=1)
    rows = zip(*all_gather_object(data_samples), strict=True)
    return FrozenFeatures(
        shares.flatten(0, 1)[:size],
        [sample for row in rows for sample in row][:size],
        getattr(loader.dataset, 'metainfo', {}),
    )


def _share_of_rank(loader: DataLoader) -> DataLoader:
    """A loader of every so many-th clip; shares are equally long, the last ones wrap."""
    size, ranks = len(loader.dataset), get_world_size()  # type: ignore[arg-type]
    share = [
        i % size for i in range(get_rank(), -(-size // ranks) * ranks, ranks)
    ]  # fmt: skip
    return DataLoader(
        Subset(loader.dataset, share),
        batch_size=loader.batch_size or loader.batch_sampler.batch_size,  # type: ignore[union-attr]
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
    )
