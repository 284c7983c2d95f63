"""The clips that a config evaluates on, and their features."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from sklearn.neighbors import NearestNeighbors

from ..annotations.safe_pickle import load_pickle
from ..datasets.labels import labels_of, place_of
from ..datasets.wrapped import dataset_cfgs
from ..evaluation.baselines import SERIES_FRAMES
from ..evaluation.label_curve import EvaluatedClips
from ..skeleton import side_by_side
from ..views import GrowingAugmentation, SkeletonAlign
from .encoder import SkeletonEncoder, _test_pipeline

PARTS = ('train', 'val')
#: Augmentations of the views of a read-out, weaker than those of pre-training.
READOUT_VIEWS = (
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2),
    dict(type='SkeletonRotate', main_degrees=20),
    dict(type='SkeletonNoise'),
)


@dataclass(frozen=True)
class LabelledFeatures:
    """Features of clips of a data set.

    Attributes:
        features (np.ndarray): float32 ``(N, C)``, as the encoder gives them.
        labels (np.ndarray): int ``(N,)``, -1 where there is none.
        names (list[str]): ``frame_dir`` of each clip.
        indices (np.ndarray): int ``(N,)``, of the clips in the data set.
        layers (list[np.ndarray]): Features ``(N, D)`` of each layer, not scaled.
        views (list[np.ndarray]): Likewise ``(N, K, D)``, of K views of each clip; K may
            be 0.
    """

    features: np.ndarray
    labels: np.ndarray
    names: list[str]
    indices: np.ndarray
    layers: list[np.ndarray]
    views: list[np.ndarray]


def build_dataset(cfg: Config, part: str = 'val', trusted: bool = True) -> Any:
    """Build the data set of a config whose clips are prepared as in tests.

    Args:
        cfg (Config): Config of pre-training or of a recognizer.
        part (str): ``'val'``: the evaluation clips; ``'train'``: the labelled bank of the
            k-NN or, without a k-NN, the training clips.
        trusted (bool): False: allow only data sets of this package, which do not run code
            in data files.

    Raises:
        ValueError: If the part is unknown, or the config has no such data set.
    """
    if part not in PARTS:
        raise ValueError(f'part={part!r} is unknown; it is {" or ".join(PARTS)}.')
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    evaluated = loader.get('dataset') or {}
    if part == 'train' and 'datasets' not in evaluated:
        evaluated = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    parts = [inner for _, inner in dataset_cfgs(evaluated, 'dataset')]
    # With several data sets, the first one is the bank and the last one is classified.
    which = 0 if part == 'train' else -1
    if not parts or 'pipeline' not in parts[which]:
        raise ValueError(
            f'the config has no data set for part={part!r}: it needs '
            'train_dataloader and val_dataloader (or test_dataloader).'
        )
    evaluated = copy.deepcopy(dict(parts[which]))
    evaluated.update(pipeline=_test_pipeline(cfg), test_mode=True)
    with DefaultScope.overwrite_default_scope('mmaction'):
        kind = None if trusted else DATASETS.get(evaluated['type'])
        if not (
            trusted or getattr(kind, '__module__', '').startswith('hiclr_mmaction.')
        ):
            raise ValueError(
                f'{evaluated["type"]}, which the config in the checkpoint names, may run '
                f'code in {evaluated.get("ann_file")}; if you trust both, give the config '
                'by --config.'
            )
        return DATASETS.build(evaluated)


def check_labels(cfg: Config) -> None:
    """Check, before anything is learnt, that clips of a config can be classified.

    Raises:
        ValueError: If no training or no evaluation clip has a label, or if all training
            clips are of one class.
    """
    for part in PARTS:
        dataset = build_dataset(cfg, part)
        labels = [label for label in labels_of(dataset) if label is not None]
        where = (
            f'{place_of(dataset)}: {len(labels)} of {len(dataset)} clips have a label'
        )
        if not labels:
            raise ValueError(
                f'{where}, but read-outs and protocols need some. Label a few clips of '
                'each class, or only pre-train (tools/train.py).'
            )
        if part == 'train' and len(set(labels)) == 1:
            raise ValueError(
                f'{where}, all of them {labels[0]}, but classifiers need two classes. '
                'Correct the labels or the split.'
            )


@torch.no_grad()
def dataset_features(
    encoder: SkeletonEncoder,
    dataset: Any,
    max_clips: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    num_views: int = 0,
) -> LabelledFeatures:
    """Compute features of the clips of a data set.

    Args:
        encoder (SkeletonEncoder): From :func:`init_encoder`.
        dataset: From :func:`build_dataset`.
        max_clips (int, optional): Number of clips, chosen at random. None: all.
        seed (int): Seed for the choice of clips, and for the views.
        batch_size (int): Clips per batch.
        num_views (int): Number of augmented views of each clip (:data:`READOUT_VIEWS`)
            whose features are also computed, for
            :class:`~.evaluation.readouts.ViewWhitening`.
    """
    indices = np.arange(len(dataset))
    if max_clips is not None and max_clips < len(indices):
        chosen = np.random.default_rng(seed).permutation(indices)[:max_clips]
        indices = np.sort(chosen)
    encoder.eval()
    change = GrowingAugmentation(levels=[READOUT_VIEWS], layout=encoder.layout)
    generator = torch.Generator().manual_seed(seed)
    found, labels, names = [], [], []
    for part in np.split(indices, range(batch_size, len(indices), batch_size)):
        packed = [dataset[int(i)] for i in part]
        inputs = [p['inputs'] for p in packed]
        seen = [inputs]
        for _ in range(num_views):
            drawn = change.draw(len(inputs), generator)
            seen.append(list(change.apply(torch.stack(inputs), **drawn)['key']))
        # Each layer (N, 1 + K, D): the clips, and their views.
        each = zip(*(encoder.layer_features(x) for x in seen), strict=True)
        found.append([torch.stack(layer, 1).float().cpu() for layer in each])
        for p in packed:
            sample = p['data_samples']
            labels.append(_label(sample))
            names.append(str(sample.get('frame_dir', '')))
    layers = [torch.cat(parts) for parts in zip(*found, strict=True)]
    return LabelledFeatures(
        side_by_side([layer[:, 0] for layer in layers]).numpy(),
        np.array(labels),
        names,
        indices,
        [layer[:, 0].numpy() for layer in layers],
        [layer[:, 1:].numpy() for layer in layers],
    )


def _label(sample: ActionDataSample) -> int:
    return int(sample.gt_label) if 'gt_label' in sample else -1


def baseline_clips(cfg: Config, part: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The clips of a split for the baselines, their labels (-1: none) and names.

    They are aligned to the number of frames that the baselines need, not to the
    encoder's.
    """
    dataset = build_dataset(cfg, part)
    for transform in dataset.pipeline.transforms:
        if isinstance(transform, SkeletonAlign):
            transform.num_frames = SERIES_FRAMES
    packed = [dataset[i] for i in range(len(dataset))]
    samples = [clip['data_samples'] for clip in packed]
    return (
        np.stack([clip['inputs'].numpy() for clip in packed]),
        np.array([_label(sample) for sample in samples]),
        [str(sample.get('frame_dir', '')) for sample in samples],
    )


def featureless_clips(cfg: Config) -> tuple[EvaluatedClips, EvaluatedClips]:
    """Labelled training and test clips for baselines, without features of an encoder."""
    train, test = (
        EvaluatedClips(clips, np.empty((len(clips), 0)), labels, names).labelled()
        for clips, labels, names in (baseline_clips(cfg, part) for part in PARTS)
    )
    return train, test


def nearest_clips(
    features: np.ndarray, bank: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest features of a bank, by cosine.

    Args:
        features (np.ndarray): Queries ``(N, C)``.
        bank (np.ndarray): ``(B, C)``.
        k (int): Number of neighbours, at most the size of the bank.

    Returns:
        tuple[np.ndarray, np.ndarray]: Cosine distances (0: same direction, 2: opposite)
        and rows of the bank, ``(N, k)`` each, nearest first.

    Raises:
        ValueError: If ``k`` is not positive.
    """
    if k < 1:
        raise ValueError(f'k={k}: give 1 neighbour or more.')
    search = NearestNeighbors(n_neighbors=min(k, len(bank)), metric='cosine')
    return search.fit(bank).kneighbors(features)


def class_names(dataset: Any) -> Sequence[str] | None:
    """Names of the labels, from the data set's meta information or its file."""
    names = dataset.metainfo.get('classes')
    if not names and getattr(dataset, 'ann_file', '').endswith('.pkl'):
        content = load_pickle(dataset.ann_file)
        names = content.get('classes') if isinstance(content, Mapping) else None
    return names or None
