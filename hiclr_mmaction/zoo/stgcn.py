"""MMAction2's ST-GCN in plain PyTorch, for inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Settings of the backbone that the shapes of its weights do not show.
_KNOWN = dict(
    data_bn_type=('VC',),
    gcn_adaptive=('importance', 'offset', 'init', None),
    gcn_conv_pos=('pre',),
    gcn_with_res=(False,),
    gcn_norm=('BN',),
    gcn_act=('ReLU',),
    tcn_type=('unit_tcn',),
    tcn_norm=('BN',),
)


class PlainSTGCN(nn.Module):
    """The backbone ``STGCN`` or ``HiCLRSTGCN``, made of its weights.

    Names of weights are those of MMAction2, and so are the numbers, up to rounding.

    Args:
        weights (Mapping[str, Tensor]): Of the backbone, by its own names.
        cfg (Mapping): Its config, of which ``down_stages`` and ``gcn_adaptive`` are read.

    Raises:
        ValueError: If the config asks for parts that only MMAction2 has.
    """

    def __init__(self, weights: Mapping[str, Tensor], cfg: Mapping[str, Any]) -> None:
        super().__init__()
        unknown = [k for k, v in _KNOWN.items() if k in cfg and cfg[k] not in v]
        if cfg.get('type') not in ('STGCN', 'HiCLRSTGCN') or unknown:
            raise ValueError(
                f'{cfg.get("type")} with {", ".join(unknown) or "its own parts"} needs '
                "MMAction2; pip install 'hiclr-mmaction[lite]'."
            )
        self.data_bn = nn.BatchNorm1d(len(weights['data_bn.weight']))
        count = 1 + max(int(k.split('.')[1]) for k in weights if k.startswith('gcn.'))
        down: Sequence[int] = cfg.get('down_stages', (5, 8))
        adaptive = cfg.get('gcn_adaptive', 'importance')
        # MMAction2 counts from 1; with as many channels as coordinates it leaves the
        # first block out.
        first = (
            2
            if weights['gcn.0.gcn.conv.weight'].shape[1] == cfg['base_channels']
            else 1
        )
        self.gcn = nn.ModuleList()
        for i in range(count):
            head = f'gcn.{i}.'
            block = {
                k[len(head) :]: v for k, v in weights.items() if k.startswith(head)
            }
            stage = i + first
            stride = 2 if stage > 1 and stage in down else 1
            self.gcn.append(_Block(block, stride, stage > 1, adaptive))
        self.load_state_dict({k: v.float() for k, v in weights.items()})
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``."""
        n, m, t, v, c = x.shape
        x = self.data_bn(x.permute(0, 1, 3, 4, 2).reshape(n * m, v * c, t))
        x = x.view(n * m, v, c, t).permute(0, 2, 3, 1)
        for block in self.gcn:
            x = block(x)
        return x.unflatten(0, (n, m))


class _Block(nn.Module):
    """A graph convolution, one over time, and a residual."""

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        stride: int,
        residual: bool,
        adaptive: str | None,
    ) -> None:
        super().__init__()
        out_channels, in_channels = weights['tcn.conv.weight'].shape[:2]
        self.gcn = _GraphConv(weights, adaptive)
        self.tcn = _TimeConv(in_channels, out_channels, stride, 9)
        self.has_residual = residual
        self.residual: nn.Module = nn.Identity()
        if 'residual.conv.weight' in weights:
            in_channels = weights['residual.conv.weight'].shape[1]
            self.residual = _TimeConv(in_channels, out_channels, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.tcn(self.gcn(x))
        return torch.relu(y + self.residual(x) if self.has_residual else y)


class _GraphConv(nn.Module):
    A: Tensor

    def __init__(self, weights: Mapping[str, Tensor], adaptive: str | None) -> None:
        super().__init__()
        self.adaptive = adaptive
        self.register_buffer(
            'A', torch.zeros_like(weights['gcn.A'], dtype=torch.float32)
        )
        if 'gcn.PA' in weights:
            self.PA = nn.Parameter(torch.zeros_like(self.A))
        rows, in_channels = weights['gcn.conv.weight'].shape[:2]
        self.conv = nn.Conv2d(in_channels, rows, 1)
        self.bn = nn.BatchNorm2d(rows // len(self.A))

    def forward(self, x: Tensor) -> Tensor:
        A = self.A
        if self.adaptive == 'importance':
            A = A * self.PA
        elif self.adaptive == 'offset':
            A = A + self.PA
        x = self.conv(x).unflatten(1, (len(A), -1))
        return torch.relu(self.bn(torch.einsum('nkctv,kvw->nctw', x, A)))


class _TimeConv(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, stride: int, size: int
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            (size, 1),
            stride=(stride, 1),
            padding=(size // 2, 0),
        )
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))
