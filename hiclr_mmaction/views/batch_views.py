"""Views made of a whole batch, where the model is."""

from __future__ import annotations

import torch
from mmengine.dist import broadcast, get_rank
from torch import Generator, Tensor, nn

from .formatting import pack_views
from .growing import GrowingAugmentation, join_views
from .transform import seeded_generator


class DeviceViews(nn.Module):
    """:class:`GrowingAugmentation` for batches, with a random stream of its own.

    The generator of each batch is seeded with the seed of the run, the rank and the
    number of the batch. So ranks draw different views, a run that is resumed goes on
    with the very draws that it would have gone on with, and a checkpoint need only hold
    seed and number, which are the same on every rank and for every device.

    The seed of the run is ``torch.initial_seed()`` of rank 0 when the first views are
    made; it has been set by then, and ranks agree on it there.

    Args:
        growing (dict): Arguments of :class:`GrowingAugmentation`.
    """

    def __init__(self, **growing) -> None:
        super().__init__()
        self.growing = GrowingAugmentation(**growing)
        self._seed: int | None = None
        self._batches = 0

    def forward(self, x: Tensor) -> tuple[dict, Generator]:
        """Make the views of aligned clips ``(N, M, T, V, C)``.

        Returns:
            tuple[dict, Generator]: The views as :class:`PackSkeletonViews` packs them,
            of a batch, and the batch's generator, for further draws.
        """
        generator = self.next_generator(x.device)
        growing = self.growing
        # On a CPU, without the shape, noise is drawn for the samples only that get it.
        on_cpu = x.device.type == 'cpu'
        shape = None if on_cpu else x.shape[1:]
        pieces = x.split(growing.piece_size(x)) if on_cpu else [x]
        views = [
            growing.apply(piece, **growing.draw(len(piece), generator, shape))
            for piece in pieces
        ]
        return pack_views(join_views(views) if on_cpu else views[0]), generator

    def next_generator(self, device: torch.device) -> Generator:
        """The generator of the next batch."""
        if self._seed is None:
            initial = torch.tensor([torch.initial_seed() % 2**63])
            broadcast(initial)  # with randomness.diff_rank_seed they differ
            self._seed = int(initial)
        entropy = self._seed, get_rank(), self._batches
        self._batches += 1
        return seeded_generator(entropy, device)

    def get_extra_state(self) -> Tensor:
        """Seed (-1: not known yet) and number of batches, for the checkpoint."""
        return torch.tensor([-1 if self._seed is None else self._seed, self._batches])

    def set_extra_state(self, state: Tensor) -> None:
        """Go on where a checkpoint was made."""
        seed, self._batches = state.tolist()
        self._seed = None if seed < 0 else seed
