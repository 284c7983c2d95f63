"""When and how many neighbours are mined."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class NeighborMining:
    """Settings of neighbour mining (AimCLR, 'Nearest Neighbors Mining').

    Args:
        topk (int): Number of queue entries per query that become positives, too.
        begin (int, optional): Epochs without mining. None: not decided yet.

    Raises:
        ValueError: If one is not whole, or too small.
    """

    topk: int = 1
    begin: int | None = None

    def __post_init__(self) -> None:
        if type(self.topk) is not int or self.topk < 1:
            raise ValueError(
                f'mining.topk={self.topk}: give a whole number of neighbours, 1 or more.'
            )
        if self.begin is not None and (type(self.begin) is not int or self.begin < 0):
            raise ValueError(
                f'mining.begin={self.begin}: give a whole number of epochs, 0 or more.'
            )
