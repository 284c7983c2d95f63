"""Drop/add edges: the strong augmentation that changes the graph, not the clip."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ...skeleton.augment import add_edges, drop_edges
from .levels import check_levels


class EdgePerturbation:
    """Run a backbone with each layer's edges perturbed, for one forward.

    Each adjacency has edges dropped at a ratio from ``U(0, drop)``, then added at one
    from ``U(0, add)``, drawn anew for every layer and forward (paper, 'Drop/Add
    Edges'). The backbone itself is not changed. Edges are either:

    - a layer's parameter or buffer named ``A``, as in the graph convolutions of
      MMAction2 and of its projects;
    - the output of a module with a true attribute ``gives_edges``, as the attention of
      :class:`DSTANet`. These differ from clip to clip, and so do their draws; an added
      edge is as strong there as the mean one.

    Args:
        backbone (nn.Module): The backbone that it will be used with.
        drop (float): Largest ratio of dropped entries.
        add (float): Largest ratio of zero entries set.
        levels (Sequence[int]): Query levels to perturb; -1 is the strongest.

    Raises:
        ValueError: If a ratio is out of range or the backbone has no edges.
    """

    def __init__(
        self,
        backbone: nn.Module,
        /,
        drop: float = 0.1,
        add: float = 0.05,
        levels: tuple[int, ...] = (-1,),
    ) -> None:
        self.check_settings(drop, add)
        self.drop = drop
        self.add = add
        self.levels = tuple(levels)
        tensors = [*backbone.named_parameters(), *backbone.named_buffers()]
        self.names = [n for n, _ in tensors if n.rpartition('.')[2] == 'A']
        self.modules = [
            n for n, m in backbone.named_modules() if getattr(m, 'gives_edges', False)
        ]
        if not self.names and not self.modules:
            raise ValueError(
                f'graph_augment is set, but {type(backbone).__name__} keeps no adjacency '
                "in a parameter or buffer 'A', nor has it a module with gives_edges, "
                'whose edges could be dropped or added; take a GCN backbone or set '
                'graph_augment=None.'
            )

    @staticmethod
    def check_settings(
        drop: float = 0.1, add: float = 0.05, levels: tuple[int, ...] = (-1,)
    ) -> None:
        """Raise a ValueError if a ratio is out of range, whatever the backbone."""
        for name, ratio in dict(drop=drop, add=add).items():
            if not 0 <= ratio < 1:
                raise ValueError(
                    f'graph_augment.{name}={ratio} is out of range; it is a ratio of '
                    'edges, 0 to below 1.'
                )

    def check_levels(self, num_levels: int) -> None:
        """Raise a ValueError if a level is named that the views lack."""
        check_levels('graph_augment.levels', self.levels, num_levels)

    def acts_on(self, level: int, num_levels: int) -> bool:
        """Whether query level ``level`` of ``num_levels`` is perturbed."""
        self.check_levels(num_levels)
        return bool({level, level - num_levels} & set(self.levels))

    def perturb(self, A: Tensor, add_mean: bool = False) -> Tensor:
        """One draw of perturbed edges.

        Args:
            A (Tensor): Edges of any shape.
            add_mean (bool): Whether an added edge is as strong as the mean one, not 1.
                This keeps the sum stable if edges have different signs.
        """
        ratios = torch.rand(2, device=A.device)
        if self.drop:
            A = drop_edges(A, ratios[0] * self.drop)
        if self.add:
            value = A.mean() if add_mean else 1.0
            A = add_edges(A, ratios[1] * self.add, value=value)
        return A

    def _perturb_output(self, module: nn.Module, args: tuple, edges: Tensor) -> Tensor:
        """As a forward hook."""
        return self.perturb(edges, add_mean=True)

    def __call__(self, backbone: nn.Module, x: Tensor) -> Tensor:
        """The backbone's output ``(N, M, C, T, V)`` under perturbed edges."""
        perturbed = {name: self.perturb(_get(backbone, name)) for name in self.names}
        with ExitStack() as hooks:
            for name in self.modules:
                module = backbone.get_submodule(name)
                hooks.enter_context(module.register_forward_hook(self._perturb_output))
            return functional_call(backbone, perturbed, (x,))


def _get(module: nn.Module, name: str) -> Tensor:
    owner, _, attribute = name.rpartition('.')
    return getattr(module.get_submodule(owner), attribute)
