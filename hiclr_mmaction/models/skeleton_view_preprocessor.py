"""From a batch of clips to the views that a learner takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from mmaction.registry import MODELS
from mmengine.dist import broadcast, get_rank
from mmengine.model import BaseDataPreprocessor
from torch import Generator, Tensor, nn

from ..skeleton import get_layout, to_stream
from ..skeleton.constants import constant
from ..skeleton.streams import check_stream
from ..views import GrowingAugmentation, pack_views
from ..views.generator import seeded_generator
from .modules import SkeleAdaIN


@MODELS.register_module()
class SkeletonViewPreprocessor(BaseDataPreprocessor):
    """Make the views of a batch on its device, mix statistics, choose the stream.

    Takes clips or views that :class:`PackSkeletonViews` packs, collated by mmengine's
    ``pseudo_collate`` or ``default_collate``, and returns what :class:`HiCLR` takes.

    Args:
        layout (str | dict): The skeleton.
        stream (str): ``'joint'``, ``'bone'``, ``'motion'`` or ``'bone_motion'``.
        ada_in (dict, optional): SkeleAdaIN in training: ``dims`` (``'TV'`` or ``'V'``),
            ``levels`` (query levels, -1 is the strongest) and ``prob`` (of a clip). The
            style is the next clip of the batch.
        views (dict, optional): Arguments of :class:`GrowingAugmentation` (``levels``,
            ``grown``, ``layout``, by default the one above): the views of a training
            batch. A batch that already has views is left unchanged.
        non_blocking (bool): Whether copies to the device return before they end.
    """

    def __init__(
        self,
        layout: str | dict = 'nturgb+d',
        stream: str = 'joint',
        ada_in: Annotated[dict, SkeleAdaIN] | None = None,
        views: Annotated[dict, GrowingAugmentation] | None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        check_stream(stream)
        self.layout = get_layout(layout)
        self.stream = stream
        self.ada_in = None if ada_in is None else SkeleAdaIN(**ada_in)
        self.views = None
        if views is not None:
            self.views = GrowingAugmentation(**{'layout': layout, **views})
            self.views.check_coordinates(self.layout.coordinates, type(self).__name__)
            if self.ada_in is not None:
                self.ada_in.check_levels(self.views.num_levels)
        self.generators = BatchGenerators()

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; ``inputs`` become float32 on the model's device."""
        # mmengine prepares a training batch within the optimiser's autocast.
        with torch.autocast(self.device.type, enabled=False):
            data = self.cast_data(data)
            inputs = _stack_inputs(data['inputs'])
            if training and (self.views or self.ada_in):
                generator = next(self.generators)
                inputs, _ = self._make_views(inputs, generator)
                if isinstance(inputs, dict):
                    inputs = self._mix(inputs, generator)
            if isinstance(inputs, dict):
                inputs = dict(
                    key=self._to_stream(inputs['key']),
                    queries=[self._to_stream(view) for view in inputs['queries']],
                    mask=inputs.get('mask'),
                )
                if self.layout.num_axes == 2 and inputs['mask'] is not None:
                    self._mask_scores(inputs)
            else:
                inputs = self._to_stream(inputs)
            return dict(data, inputs=inputs)

    def sample_views(
        self, inputs: Tensor | dict | list
    ) -> tuple[dict, list[list[str]]]:
        """The views of a batch before the stream is made, for pictures of its first clip.

        Args:
            inputs (Tensor | dict | list): Clips, or views that a pipeline made, as in
                ``forward``.

        Returns:
            tuple[dict, list[list[str]]]: ``key``, ``queries`` and ``mask``, of the batch;
            and for the key and each query what was done to the first clip, in words.

        Raises:
            ValueError: If neither the pipeline nor ``views`` makes views.
        """
        generator = torch.default_generator
        views, draws = self._make_views(_stack_inputs(inputs), generator)
        if not isinstance(views, dict):
            raise ValueError(
                'model.data_preprocessor has no views, and train_dataloader.dataset'
                '.pipeline no GrowingAugmentation; give a config of pre-training.'
            )
        if self.views is None or draws is None:
            applied = [['made in the pipeline'] for _ in (0, *views['queries'])]
        else:
            applied = self.views.applied(len(views['key']), 0, **draws)
        mixed = self._mix(views, generator)
        for names, old, new in zip(
            applied[1:], views['queries'], mixed['queries'], strict=True
        ):
            if not torch.equal(old[0], new[0]):
                names.append('SkeleAdaIN')
        return mixed, applied

    def _make_views(
        self, inputs: Tensor | dict, generator: Generator
    ) -> tuple[Tensor | dict, dict | None]:
        """Views of clips, where they are made here, and their draws."""
        if self.views is None or isinstance(inputs, dict):
            return inputs, None
        draws = self.views.draw(len(inputs), generator)
        return pack_views(self.views.apply(inputs.float(), **draws)), draws

    def _mix(self, views: dict, generator: Generator) -> dict:
        """Views with mixed statistics, where that is set."""
        if self.ada_in is None:
            return views
        queries = self.ada_in(views['queries'], self.layout, generator)
        return dict(views, queries=queries)

    def _mask_scores(self, out: dict) -> None:
        """Give masked joints score 0 and keep the model's value to x and y."""
        masks, queries = out['mask'], out['queries']
        if not isinstance(masks, list):
            masks = [None] * (len(queries) - 1) + [masks]
        x_and_y = constant((True, True, False), torch.bool, queries[0].device)
        out['queries'] = [
            x if m is None else x * (x_and_y | ~m[:, None, :, :, None])
            for x, m in zip(queries, masks, strict=True)
        ]
        out['mask'] = [None if m is None else m[..., None] & x_and_y for m in masks]

    def _to_stream(self, x: Tensor) -> Tensor:
        return to_stream(x.float(), self.stream, self.layout)


class BatchGenerators(nn.Module):
    """A random generator for each training batch, the same after resuming.

    It is seeded with the seed of the run, the rank and the number of the batch. So ranks
    draw different views, and a checkpoint need only hold seed and number, which are the
    same on every rank and for every device.

    The seed of the run is ``torch.initial_seed()`` of rank 0 at the first batch; the
    runner has set it by then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seed: int | None = None
        self._batches = 0

    def __next__(self) -> Generator:
        """The generator of the next batch, on the CPU."""
        if self._seed is None:
            initial = torch.tensor([torch.initial_seed() % 2**63])
            broadcast(initial)  # with randomness.diff_rank_seed they differ
            self._seed = int(initial)
        entropy = self._seed, get_rank(), self._batches
        self._batches += 1
        return seeded_generator(entropy)

    def get_extra_state(self) -> Tensor:
        """Seed (-1: not known yet) and number of batches, for the checkpoint."""
        return torch.tensor([-1 if self._seed is None else self._seed, self._batches])

    def set_extra_state(self, state: Tensor) -> None:
        """Continue where a checkpoint was made."""
        seed, self._batches = state.tolist()
        self._seed = None if seed < 0 else seed

    def _load_from_state_dict(self, *args) -> None:
        state_dict, prefix, metadata, _, *rest = args
        # Not strict: weights that were trained elsewhere have no such state.
        super()._load_from_state_dict(state_dict, prefix, metadata, False, *rest)


def _stack(x: Tensor | Sequence[Tensor]) -> Tensor:
    return x if isinstance(x, Tensor) else torch.stack(list(x))


def _stack_inputs(inputs: Tensor | list | dict) -> Tensor | dict:
    if not isinstance(inputs, dict):
        return _stack(inputs)
    return dict(
        key=_stack(inputs['key']),
        queries=[_stack(view) for view in inputs['queries']],
        mask=_stack_mask(inputs.get('mask')),
    )


def _stack_mask(mask: Tensor | Sequence | None) -> Tensor | list[Tensor] | None:
    """One mask ``(N, T, V)``, or a list of them, one per query."""
    if mask is None or isinstance(mask, Tensor):
        return mask
    # Collated by pseudo_collate, one mask is a list of (T, V); one per query is a list
    # of lists of them, or after default_collate of (N, T, V).
    if isinstance(mask[0], Tensor) and mask[0].dim() == 2:
        return torch.stack(list(mask))
    return [_stack(m) for m in mask]
