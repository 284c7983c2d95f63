"""The transformer of HiCLR: attention over the joints, convolution over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import Tensor, nn

from ..modules import forward_present

# Width in, width out, width of queries and keys, stride in time.
HICLR_STAGES = (
    (32, 32, 16, 1),
    (32, 32, 16, 1),
    (32, 64, 16, 2),
    (64, 64, 16, 1),
    (64, 128, 32, 2),
    (128, 128, 32, 1),
    (128, 128, 32, 1),
    (128, 256, 32, 1),
)


@MODELS.register_module()
class DSTANet(BaseModule):
    """DSTA-Net (ACCV 2020) as HiCLR uses it: attention over joints only.

    It uses no graph: each block attends from joint to joint, by one map for all clips
    and one of each clip. :class:`EdgePerturbation` acts on their sum.

    Args:
        num_joints (int): ``V``.
        in_channels (int): Coordinates of a joint.
        stages (Sequence[Sequence[int]]): One block each: width in, width out, width of
            the queries and keys, stride in time. HiCLR's by default.
        num_subsets (int): Attention maps of a block.
        dropout (float): On the residual path around the temporal convolution. The
            released configuration pre-trains with 0.5, under the name of attention
            dropout, and fine-tunes with 0.
        skip_absent (bool): Whether only present persons (not all zeros) are run and
            averaged; the output is then ``(N, 1, C', T', V)``. Batch norm sees
            only these, too. The released code runs and averages all.
        init_cfg (dict | list[dict], optional): Initialisation; Kaiming by default.

    Raises:
        ValueError: If the widths of the stages do not fit together.
    """

    def __init__(
        self,
        num_joints: int = 25,
        in_channels: int = 3,
        stages: Sequence[Sequence[int]] = HICLR_STAGES,
        num_subsets: int = 3,
        dropout: float = 0.0,
        skip_absent: bool = False,
        init_cfg: dict | Sequence[dict] | None = (
            dict(type='Kaiming', layer='Conv2d', mode='fan_out'),
            dict(type='Constant', layer='BatchNorm2d', val=1),
        ),
    ) -> None:
        super().__init__(
            init_cfg=list(init_cfg) if isinstance(init_cfg, tuple) else init_cfg
        )
        _check_stages(stages)
        self.num_joints = num_joints
        self.skip_absent = skip_absent
        self.stem = Sequential(
            nn.Conv2d(in_channels, stages[0][0], 1),
            nn.BatchNorm2d(stages[0][0]),
            nn.LeakyReLU(0.1),
        )
        self.blocks = ModuleList(
            DSTABlock(before, after, embed, stride, num_joints, num_subsets, dropout)
            for before, after, embed, stride in stages
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``, or ``(N, 1, ...)``."""
        if x.shape[3] != self.num_joints:
            raise ValueError(
                f'DSTANet: num_joints={self.num_joints}, but the clips have {x.shape[3]} '
                'joints; make them equal.'
            )
        return forward_present(self._run, x) if self.skip_absent else self._run(x)

    def _run(self, x: Tensor) -> Tensor:
        num, persons = x.shape[:2]
        x = self.stem(x.flatten(0, 1).permute(0, 3, 1, 2))
        for block in self.blocks:
            x = block(x)
        return x.unflatten(0, (num, persons))


class DSTABlock(BaseModule):
    """Attention over joints, feed-forward, convolution over time, each with a residual."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        embed_channels: int,
        stride: int,
        num_joints: int,
        num_subsets: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.attention = JointAttention(
            in_channels, embed_channels, num_joints, num_subsets
        )
        self.mix = _conv_bn(in_channels * num_subsets, out_channels)
        self.feed_forward = _conv_bn(out_channels, out_channels)
        self.tcn = _conv_bn(out_channels, out_channels, kernel_size=7, stride=stride)
        if in_channels == out_channels and stride == 1:
            self.mix_residual = self.feed_forward_residual = nn.Identity()
            self.tcn_residual = nn.Identity()
        else:
            self.mix_residual = _conv_bn(in_channels, out_channels)
            self.feed_forward_residual = _conv_bn(in_channels, out_channels)
            self.tcn_residual = _conv_bn(out_channels, out_channels, stride=stride)
        self.act = nn.LeakyReLU(0.1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, T, V)`` to ``(N, C', T', V)``."""
        attention = self.attention(x)
        y = torch.einsum('nctu,nsuv->nsctv', x, attention).flatten(1, 2)
        y = self.act(self.mix_residual(x) + self.mix(y))
        y = self.act(self.feed_forward_residual(x) + self.feed_forward(y))
        return self.act(self.drop(self.tcn_residual(y)) + self.tcn(y))


class JointAttention(nn.Module):
    """Weights from joint to joint: a map of the clip's own and one for all clips."""

    # What forward gives are edges: EdgePerturbation looks for this.
    gives_edges = True
    position: Tensor

    def __init__(
        self, in_channels: int, embed_channels: int, num_joints: int, num_subsets: int
    ) -> None:
        super().__init__()
        self.num_subsets = num_subsets
        self.embed = nn.Conv2d(in_channels, 2 * num_subsets * embed_channels, 1)
        self.scale = nn.Parameter(torch.ones(1, num_subsets, 1, 1))
        shared = torch.full((1, num_subsets, num_joints, num_joints), 1 / num_joints)
        self.shared = nn.Parameter(shared)
        code = positional_encoding(num_joints, in_channels).T.unsqueeze(1)
        self.register_buffer('position', code)

    def forward(self, x: Tensor) -> Tensor:
        """Attention ``(N, S, V, V)`` of features ``(N, C, T, V)``."""
        query, key = (
            half.unflatten(1, (self.num_subsets, -1))
            for half in self.embed(x + self.position).chunk(2, dim=1)
        )
        similarity = torch.einsum('nsctu,nsctv->nsuv', query, key)
        size = query.shape[2] * query.shape[3]  # channels times frames
        return torch.tanh(similarity / size) * self.scale + self.shared


def positional_encoding(length: int, channels: int) -> Tensor:
    """Sines and cosines of a position, ``(length, channels)`` ("Attention is all you
    need", section 3.5)."""
    rates = torch.exp(torch.arange(0, channels, 2) * (-math.log(10000) / channels))
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :channels]


def _conv_bn(
    in_channels: int, out_channels: int, kernel_size: int = 1, stride: int = 1
) -> Sequential:
    """A convolution over time, of one frame by default, and its normalisation."""
    conv = nn.Conv2d(
        in_channels,
        out_channels,
        (kernel_size, 1),
        stride=(stride, 1),
        padding=(kernel_size // 2, 0),
    )
    return Sequential(conv, nn.BatchNorm2d(out_channels))


def _check_stages(stages: Sequence[Sequence[int]]) -> None:
    if not stages or any(len(stage) != 4 or min(stage) < 1 for stage in stages):
        raise ValueError(
            f'DSTANet: stages={stages}; give each block four numbers of at least 1: '
            'width in, width out, width of queries and keys, stride.'
        )
    for i in range(1, len(stages)):
        if stages[i][0] != stages[i - 1][1]:
            raise ValueError(
                f'DSTANet: stages[{i}] takes {stages[i][0]} channels, but stages[{i - 1}] '
                f'gives {stages[i - 1][1]}; make them equal.'
            )
