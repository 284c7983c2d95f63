"""Into the layout that the models take, and out of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample

from ..annotations.clip_checks import check_keypoint, join_score, sample_name
from ..skeleton import align_clip, get_layout, measured_joints, to_stream
from ..skeleton.align import MAX_GAP, check_align_settings
from ..skeleton.mapping import joint_mapping, map_joints
from ..skeleton.streams import check_stream
from .growing import pack_views
from .transform import ShownTransform, clip_of


@TRANSFORMS.register_module()
class SkeletonAlign(ShownTransform):
    """Select persons, centre, resample and turn a clip.

    See :func:`~hiclr_mmaction.skeleton.align_clip`.

    Required Keys:

    - keypoint (np.ndarray): 3-D ``(M, T, V, 3)``, in metres; 2-D ``(M, T, V, 2)``, in
      pixels, or with scores ``(M, T, V, 3)``
    - keypoint_score (np.ndarray, optional): ``(M, T, V)``, removed; 0: not measured

    Modified Keys:

    - keypoint (np.ndarray): float32 ``(num_person, num_frames, V, 3)``

    Added Keys:

    - total_frames (int), num_clips (int, 1), clip_len (int)
    - coordinates (str): the layout's, ``'3d'`` or ``'2d'``

    Args:
        layout (str | dict): The skeleton.
        num_frames (int): Frames after resampling.
        num_person (int): Persons after selection; missing ones are zeros.
        untracked (str): ``'drop'``: frames without anybody are dropped, the persons
            tracked in the most frames are selected, and short gaps are interpolated.
            ``'released'``: the leading frames and the first persons, as the released
            preprocessing does. ``'refuse'``: a clip in which something is lost is an
            error.
        max_gap (int): Frames for which a person may be lost and is interpolated.

    Raises:
        ValueError: If a setting is out of range, or the clip does not fit the layout, is
            empty or not finite, or was aligned when its file was made.
    """

    def __init__(
        self,
        layout: str | dict = 'nturgb+d',
        num_frames: int = 50,
        num_person: int = 2,
        untracked: str = 'drop',
        max_gap: int = MAX_GAP,
    ) -> None:
        self._layout = get_layout(layout)
        check_align_settings(num_frames, num_person, untracked, max_gap)
        self.layout = layout
        self.num_frames = num_frames
        self.num_person = num_person
        self.untracked = untracked
        self.max_gap = max_gap

    def transform(self, results: dict) -> dict:
        """Align one sample."""
        if results.get('prepared'):
            raise ValueError(
                f'SkeletonAlign: clip {sample_name(results)!r} was aligned when its file '
                f'was made ({results["prepared"]}); remove SkeletonAlign from the '
                'pipeline, or convert the data without --align.'
            )
        name = sample_name(results)
        join_score(results, self._layout)
        check_keypoint(results['keypoint'], self._layout, name)
        try:
            results['keypoint'] = align_clip(
                torch.from_numpy(np.asarray(results['keypoint'], np.float32)),
                self._layout,
                self.num_frames,
                self.num_person,
                self.untracked,
                self.max_gap,
            ).numpy()
        except ValueError as error:
            raise ValueError(f'clip {name!r}: {error}') from error
        results['total_frames'] = results['clip_len'] = self.num_frames
        results['num_clips'] = 1
        results['coordinates'] = self._layout.coordinates
        return results


@TRANSFORMS.register_module()
class SkeletonToLayout(ShownTransform):
    """Give a clip the joints of another layout, before it is aligned.

    See :func:`~hiclr_mmaction.skeleton.mapping.map_joints`.

    Required Keys:

    - keypoint (np.ndarray): as of :class:`SkeletonAlign`
    - keypoint_score (np.ndarray, optional): ``(M, T, V)``, removed; 0: not measured

    Modified Keys:

    - keypoint (np.ndarray): float32 ``(M, T, V of the layout, 3)``

    Args:
        source (str | dict): The skeleton of the clip.
        layout (str | dict): The skeleton wanted.

    Raises:
        ValueError: If the layout cannot be made of the source, or the clip does not fit
            the source or was aligned when its file was made.
    """

    def __init__(self, source: str | dict, layout: str | dict = 'nturgb+d') -> None:
        self._source, self._layout = get_layout(source), get_layout(layout)
        joint_mapping(self._source, self._layout)
        self.source = source
        self.layout = layout

    def transform(self, results: dict) -> dict:
        """Map one sample."""
        name = sample_name(results)
        if results.get('prepared'):
            raise ValueError(
                f'SkeletonToLayout: clip {name!r} was aligned when its file was made '
                f'({results["prepared"]}); convert the data with --to-layout.'
            )
        join_score(results, self._source)
        check_keypoint(results['keypoint'], self._source, name)
        x = torch.from_numpy(np.asarray(results['keypoint'], np.float32))
        measured = measured_joints(x, self._source)
        results['keypoint'] = map_joints(
            x, self._source, self._layout, measured
        ).numpy()
        return results


@TRANSFORMS.register_module()
class SkeletonStream(ShownTransform):
    """Turn joint coordinates into bones or motion.

    For pre-training leave this to ``SkeletonViewPreprocessor``: there the stream is
    made after the augmentations, and before joints are masked.

    Required and Modified Keys:

    - keypoint (np.ndarray): ``(M, T, V, C)``

    Args:
        stream (str): ``'joint'``, ``'bone'``, ``'motion'`` or ``'bone_motion'``.
        layout (str | dict): The skeleton.
    """

    def __init__(self, stream: str = 'joint', layout: str | dict = 'nturgb+d') -> None:
        check_stream(stream)
        self._layout = get_layout(layout)
        self.stream = stream
        self.layout = layout

    def transform(self, results: dict) -> dict:
        """Turn one sample."""
        x = to_stream(clip_of(results), self.stream, self._layout)
        results['keypoint'] = x.numpy()
        return results


@TRANSFORMS.register_module()
class PackSkeletonViews(ShownTransform):
    """Pack the views of a sample, or the clip itself where none were made.

    Required Keys:

    - views (dict) of :class:`GrowingAugmentation`, or keypoint (np.ndarray)
    - label (int, optional): pre-training needs none

    Added Keys:

    - inputs: ``dict(key=(M, T, V, C), queries=[(M, T, V, C), ...])`` and, where joints
      are masked, ``mask``: a bool ``(T, V)`` for the last query where only that one is
      masked, else a list with one per query. Without views a Tensor ``(M, T, V, C)``.
    - data_samples (:class:`ActionDataSample`): label and meta information

    Args:
        knn_bank (bool): Whether the sample belongs to the labelled bank in which
            :class:`KNNMetric` looks for neighbours.
        meta_keys (Sequence[str]): Keys to keep as meta information, where present.
        set_name (str, optional): Name of the data set, where clips of several are
            classified: :class:`KNNMetric` then does so set by set.
    """

    def __init__(
        self,
        knn_bank: bool = False,
        meta_keys: Sequence[str] = ('frame_dir', 'sample_idx'),
        set_name: str | None = None,
    ) -> None:
        self.knn_bank = knn_bank
        self.meta_keys = tuple(meta_keys)
        self.set_name = set_name

    def transform(self, results: dict) -> dict:
        """Pack one sample."""
        made = 'views' in results
        inputs = pack_views(results['views']) if made else clip_of(results)
        sample = ActionDataSample()
        if 'label' in results:
            sample.set_gt_label(results['label'])
        meta = {key: results[key] for key in self.meta_keys if key in results}
        meta['knn_bank'] = self.knn_bank
        if self.set_name is not None:
            meta['set_name'] = self.set_name
        sample.set_metainfo(meta)
        return dict(inputs=inputs, data_samples=sample)
