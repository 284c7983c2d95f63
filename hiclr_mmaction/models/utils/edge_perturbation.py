"""Drop/add edges: the strong augmentation that changes the graph, not the clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ...skeleton.augment import add_edges, drop_edges


class EdgePerturbation:
    """Run a backbone with each layer's adjacency perturbed, for one forward.

    Each adjacency has edges dropped at a ratio from ``U(0, drop)``, then added at one
    from ``U(0, add)``, drawn anew for every layer and forward (paper, 'Drop/Add
    Edges'). A layer's adjacency is its parameter or buffer named ``A``, as in
    MMAction2's graph convolutions; the backbone itself is not changed.

    Args:
        backbone (nn.Module): The backbone that it will be used with.
        drop (float): Largest ratio of dropped entries.
        add (float): Largest ratio of zero entries set to one.
        levels (Sequence[int]): Query levels to perturb; -1 is the strongest.

    Raises:
        ValueError: If a ratio is out of range or the backbone has no adjacency.
    """

    def __init__(
        self,
        backbone: nn.Module,
        drop: float = 0.1,
        add: float = 0.05,
        levels: tuple[int, ...] = (-1,),
    ) -> None:
        for name, ratio in dict(drop=drop, add=add).items():
            if not 0 <= ratio < 1:
                raise ValueError(
                    f'graph_augment.{name}={ratio} is out of range; it is a ratio of '
                    'edges, 0 to below 1.'
                )
        self.drop = drop
        self.add = add
        self.levels = tuple(levels)
        tensors = [*backbone.named_parameters(), *backbone.named_buffers()]
        self.names = [n for n, _ in tensors if n.rpartition('.')[2] == 'A']
        if not self.names:
            raise ValueError(
                f'graph_augment is set, but {type(backbone).__name__} keeps no adjacency '
                "in a parameter or buffer 'A' whose edges could be dropped or added; "
                'take a GCN backbone or set graph_augment=None.'
            )

    def perturb(self, A: Tensor) -> Tensor:
        """One draw of a perturbed adjacency."""
        ratios = torch.rand(2, device=A.device)
        if self.drop:
            A = drop_edges(A, ratios[0] * self.drop)
        if self.add:
            A = add_edges(A, ratios[1] * self.add)
        return A

    def __call__(self, backbone: nn.Module, x: Tensor) -> Tensor:
        """The backbone's output ``(N, M, C, T, V)`` under perturbed adjacencies."""
        perturbed = {name: self.perturb(_get(backbone, name)) for name in self.names}
        return functional_call(backbone, perturbed, (x,))


def _get(module: nn.Module, name: str) -> Tensor:
    owner, _, attribute = name.rpartition('.')
    return getattr(module.get_submodule(owner), attribute)
