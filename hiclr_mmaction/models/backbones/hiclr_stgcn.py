"""The ST-GCN of HiCLR: narrow, with a wide last block."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmaction.models.backbones.stgcn import STGCN, STGCNBlock
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...accelerate import forward_frames_first, suits_frames_first
from ...skeleton import get_layout
from ..modules import forward_present

#: Those of MMAction2's ``Graph``.
GRAPH_MODES = ('spatial', 'stgcn_spatial', 'binary_adj')


@MODELS.register_module()
class HiCLRSTGCN(STGCN):
    """MMAction2's :class:`STGCN` with a separate width of the last block.

    With the default widths this is the encoder of SkeletonCLR, AimCLR and HiCLR:
    ten blocks, 16 (4 times), 32 (3), 64 (2) and 256 channels.

    Args:
        graph_cfg (dict): ``layout``: a name or dict of
            :func:`~hiclr_mmaction.skeleton.get_layout`, or MMAction2's own dict
            (``num_node``, ``inward``, ``center``); ``mode`` and ``max_hop`` as in
            MMAction2's ``Graph``.
        base_channels (int): Width of the first blocks.
        out_channels (int): Width of the last block.
        frames_first (bool): Whether float inputs on a CPU are computed in a layout that
            is faster there: equal up to rounding, see :mod:`hiclr_mmaction.accelerate`.
            If a block has a hook, the stock blocks run and call it.
        skip_absent (bool): Whether only present persons (not all zeros) are run and
            averaged; the output is then ``(N, 1, C', T', V)``. Batch norm sees
            only these, too. The released code runs and averages all.
        zero_init_residual (bool): Whether each block with a residual begins as that
            residual: the last batch norm of its branch has weight 0 (Goyal et al., 2017).
            Features then begin near the joints, and vary less with the seed.
        init_cfg (dict | list[dict], optional): Initialisation. Where it is given it
            holds for the blocks as well, in place of their own.
        **kwargs: As in :class:`STGCN`, e.g. ``tcn_dropout``.
    """

    def __init__(
        self,
        graph_cfg: dict,
        base_channels: int = 16,
        out_channels: int = 256,
        frames_first: bool = True,
        skip_absent: bool = False,
        zero_init_residual: bool = False,
        init_cfg: dict | list[dict] | None = None,
        **kwargs,
    ) -> None:
        if base_channels < 1 or out_channels < 1:
            raise ValueError(
                f'HiCLRSTGCN: base_channels={base_channels}, out_channels={out_channels}; '
                'both must be at least 1.'
            )
        for name in ('in_channels', 'num_stages', 'num_person'):
            if kwargs.get(name, 1) < 1:
                raise ValueError(f'{name}={kwargs[name]} is below 1.')
        super().__init__(
            resolve_graph_cfg(graph_cfg),
            base_channels=base_channels,
            init_cfg=init_cfg,
            **kwargs,
        )
        if skip_absent and self.data_bn_type == 'MVC':
            raise ValueError(
                "HiCLRSTGCN: skip_absent=True, but data_bn_type='MVC' normalises each "
                "place of a person on its own; take data_bn_type='VC'."
            )
        self.out_channels = out_channels
        self.gcn[-1] = self._last_block(out_channels, kwargs)
        self.frames_first = frames_first
        self.skip_absent = skip_absent
        pretrained = init_cfg is not None and _is_pretrained(init_cfg)
        self.zero_init_residual = zero_init_residual and not pretrained
        if init_cfg is not None and not pretrained:
            # The blocks' own init_cfg would be applied after this one and win.
            for module in self.gcn.modules():
                if isinstance(module, BaseModule):
                    module.init_cfg = None

    def init_weights(self) -> None:
        """Initialise by ``init_cfg`` and ``zero_init_residual``."""
        super().init_weights()
        if self.zero_init_residual:
            # The first block that widens the coordinates has no residual.
            first = 0 if self.in_channels == self.base_channels else 1
            for block in self.gcn[first:]:
                nn.init.zeros_(block.tcn.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``, or ``(N, 1, ...)``."""
        return forward_present(self._run, x) if self.skip_absent else self._run(x)

    def _run(self, x: Tensor) -> Tensor:
        if self.frames_first and suits_frames_first(self, x):
            return forward_frames_first(self, x)
        return super().forward(x)

    def _last_block(self, out_channels: int, kwargs: dict) -> STGCNBlock:
        """The last block made anew with the stock arguments, but for its width."""
        old = self.gcn[-1]
        block_kwargs = {
            # A list with one value per block is STGCN's way to vary an argument.
            k: v[-1] if isinstance(v, list | tuple) and len(v) == len(self.gcn) else v
            for k, v in kwargs.items()
            if k[:4] in ('gcn_', 'tcn_')
        }
        A = torch.tensor(self.graph.A, dtype=torch.float32)
        return STGCNBlock(
            old.gcn.in_channels,
            out_channels,
            A,
            stride=1 + (len(self.gcn) in self.down_stages),
            **block_kwargs,
        )


def resolve_graph_cfg(graph_cfg: Mapping) -> dict:
    """Replace a layout of ours in a ``graph_cfg`` by MMAction2's form."""
    mode = graph_cfg.get('mode', 'stgcn_spatial')
    if mode not in GRAPH_MODES:
        raise ValueError(
            f'graph_cfg: mode={mode!r} is unknown; known are {", ".join(GRAPH_MODES)}.'
        )
    layout = graph_cfg.get('layout', 'nturgb+d')
    if isinstance(layout, Mapping) and 'num_node' in layout:
        return dict(graph_cfg)
    return dict(graph_cfg, **get_layout(layout).graph_cfg(mode))


def _is_pretrained(init_cfg: dict | list[dict]) -> bool:
    cfgs = [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg
    return all(cfg['type'] == 'Pretrained' for cfg in cfgs)
