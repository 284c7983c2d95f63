"""Views on their way into the model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Generator, Tensor

from ..skeleton import SkeletonLayout, get_layout, to_stream
from ..skeleton.augment import ada_in, on_places
from ..skeleton.streams import check_stream
from ..views.batch_views import DeviceViews
from ..views.growing import DrawnViews
from .modules import present_persons


@MODELS.register_module()
class SkeletonViewPreprocessor(BaseDataPreprocessor):
    """Make or stack views, mix statistics over the batch (SkeleAdaIN), choose the stream.

    Takes what :class:`PackSkeletonViews` packs, collated by mmengine's
    ``pseudo_collate`` or ``default_collate``, and gives what :class:`HiCLR` takes.

    The views of a training batch are made either in the pipeline, by
    :class:`GrowingAugmentation`, or here, on the model's device and by the same
    functions, from the aligned clips that a pipeline without it packs.

    Args:
        layout (str | dict): The skeleton, for the bone stream.
        stream (str): ``'joint'``, ``'bone'``, ``'motion'`` or ``'bone_motion'``.
        ada_in (dict, optional): SkeleAdaIN in training: ``dims`` (``'TV'`` or ``'V'``),
            ``levels`` (query levels, -1 is the strongest) and ``prob`` (of a clip). The
            style is the next clip of the batch.
        views (dict, optional): Arguments of :class:`GrowingAugmentation` (``levels``,
            ``grown``, ``layout``, by default the one above) to make the views here.
            None: the pipeline makes them.
        non_blocking (bool): Whether copies to the device return before they end.
    """

    def __init__(
        self,
        layout: str | dict = 'nturgb+d',
        stream: str = 'joint',
        ada_in: dict | None = None,
        views: dict | None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        check_stream(stream)
        self.layout = get_layout(layout)
        self.stream = stream
        self.ada_in = None if ada_in is None else SkeleAdaIN(**ada_in)
        self.views = None
        if views is not None:
            self.views = DeviceViews(**{'layout': layout, **views})
            self.views.growing.check_coordinates(
                self.layout.coordinates, type(self).__name__
            )

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; ``inputs`` become float32 on the model's device.

        Raises:
            ValueError: If both the pipeline and ``views`` make views, or nothing has
                made those that are drawn.
        """
        # mmengine prepares a training batch within the optimiser's autocast.
        with torch.autocast(self.device.type, enabled=False):
            return self._prepare(data, training)

    def _prepare(self, data: dict, training: bool) -> dict:
        data = self.cast_data(data)
        inputs = data['inputs']
        if isinstance(inputs, list) and isinstance(inputs[0], DrawnViews):
            raise ValueError(
                'SkeletonViewPreprocessor: GrowingAugmentation(in_collate=True) has drawn '
                'views that nothing made; set train_dataloader.collate_fn='
                "dict(type='views_collate'), or in_collate=False."
            )
        generator = None
        if training and self.views is not None:
            if isinstance(inputs, dict):
                raise ValueError(
                    'SkeletonViewPreprocessor: views is set, but the batch holds views '
                    'already; remove GrowingAugmentation from '
                    'train_dataloader.dataset.pipeline, or set '
                    'model.data_preprocessor.views=None.'
                )
            inputs, generator = self.views(_stack(inputs).float())
        if not isinstance(inputs, dict):
            return dict(data, inputs=self._to_stream(_stack(inputs)))
        queries = [_stack(view) for view in inputs['queries']]
        if training and self.ada_in is not None:
            queries = self.ada_in(queries, self.layout, generator)
        out = dict(
            key=self._to_stream(_stack(inputs['key'])),
            queries=[self._to_stream(view) for view in queries],
            mask=_stack_mask(inputs.get('mask')),
        )
        if self.layout.num_axes == 2 and out['mask'] is not None:
            self._mask_scores(out)
        return dict(data, inputs=out)

    def _mask_scores(self, out: dict) -> None:
        """Give masked joints score 0 and keep the model's value to x and y."""
        masks, queries = out['mask'], out['queries']
        if not isinstance(masks, list):
            masks = [None] * (len(queries) - 1) + [masks]
        x_and_y = torch.tensor([True, True, False], device=queries[0].device)
        out['queries'] = [
            x if m is None else x * (x_and_y | ~m[:, None, :, :, None])
            for x, m in zip(queries, masks, strict=True)
        ]
        out['mask'] = [None if m is None else m[..., None] & x_and_y for m in masks]

    def _to_stream(self, x: Tensor) -> Tensor:
        return to_stream(x.float(), self.stream, self.layout)


class SkeleAdaIN:
    """SkeleAdaIN over a batch: each clip takes the statistics of the next one.

    Args:
        dims (str): ``'TV'`` or ``'V'``, as in :func:`.augment.ada_in`.
        levels (Sequence[int]): Query levels to change; -1 is the strongest.
        prob (float): Probability with which a clip is changed.
    """

    def __init__(
        self, dims: str = 'TV', levels: Sequence[int] = (-1,), prob: float = 1.0
    ) -> None:
        if dims not in ('TV', 'V'):
            raise ValueError(f"ada_in.dims={dims!r} is unknown; it is 'TV' or 'V'.")
        if not 0 <= prob <= 1:
            raise ValueError(f'ada_in.prob={prob} is not a probability (0 to 1).')
        self.dims = dims
        self.levels = tuple(levels)
        self.prob = prob

    def __call__(
        self,
        queries: Sequence[Tensor],
        layout: SkeletonLayout,
        generator: Generator | None = None,
    ) -> list[Tensor]:
        """Change the views of the chosen levels, ``(N, M, T, V, C)`` each.

        Scores, where the layout's coordinates have one, stay the clip's own. The
        generator, by default torch's own, is on the device of the views.
        """
        queries = list(queries)
        for level in self.levels:
            if not -len(queries) <= level < len(queries):
                raise ValueError(
                    f'ada_in.levels names level {level}; the views have levels 0 to '
                    f'{len(queries) - 1}.'
                )
            view = queries[level]
            style = view.roll(1, dims=0)
            # An absent person has no statistics: it neither takes nor gives any.
            present = present_persons(view)
            chosen = present & present.roll(1, dims=0)
            draws = torch.rand(len(view), 1, generator=generator, device=view.device)
            chosen &= draws < self.prob
            mixed = on_places(
                lambda x, style=style: ada_in(  # type: ignore[misc]
                    x, style[..., : x.shape[-1]], self.dims
                ),
                view,
                layout,
            )
            queries[level] = torch.where(chosen[..., None, None, None], mixed, view)
        return queries


def _stack(x: Tensor | Sequence[Tensor]) -> Tensor:
    return x if isinstance(x, Tensor) else torch.stack(list(x))


def _stack_mask(mask: Tensor | Sequence | None) -> Tensor | list[Tensor] | None:
    """One mask ``(N, T, V)``, or a list of them, one a query."""
    if mask is None or isinstance(mask, Tensor):
        return mask
    # Collated by pseudo_collate, one mask is a list of (T, V); one a query is a list
    # of lists of them, or after default_collate of (N, T, V).
    if isinstance(mask[0], Tensor) and mask[0].dim() == 2:
        return torch.stack(list(mask))
    return [_stack(m) for m in mask]
