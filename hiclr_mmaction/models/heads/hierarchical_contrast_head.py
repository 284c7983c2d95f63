"""The losses of HiCLR."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ..modules import feature_spread
from .level_head import LevelHead


def _kl(student: dict, teacher: dict) -> Tensor:
    # Without the teacher's entropy, a constant: as the released code has it.
    return -(teacher['log_prob'].exp() * student['log_prob']).sum(1).mean()


def _js(student: dict, teacher: dict) -> Tensor:
    log_p, log_q = student['log_prob'], teacher['log_prob']
    log_mean = torch.logaddexp(log_p, log_q) - torch.tensor(2.0).log()
    left, right = (
        F.kl_div(log_mean, log_prob, reduction='batchmean', log_target=True)
        for log_prob in (log_p, log_q)
    )
    return 0.5 * (left + right)


def _cosine(student: dict, teacher: dict) -> Tensor:
    return 1 - (student['embedding'] * teacher['embedding']).sum(1).mean()


def _mse(student: dict, teacher: dict) -> Tensor:
    return (student['embedding'] - teacher['embedding']).square().sum(1).mean()


SIMILARITIES: dict[str, Callable[[dict, dict], Tensor]] = dict(
    kl=_kl, js=_js, cosine=_cosine, mse=_mse
)


@MODELS.register_module()
class HierarchicalContrastHead(LevelHead):
    r"""InfoNCE on the weakest view, one-way consistency of the stronger ones.

    With :math:`p_i` the distribution of query :math:`q_i` over the key and the queue
    (softmax of the cosines over the temperature), the loss is

    .. math:: w_0 L_{InfoNCE}(q_0, k) + \sum_{i \ge 1} w_i\, d(q_i, sg(q_{i-1}))

    (HiCLR, 'Hierarchical Consistent Contrastive Learning'). With one level it is that
    of MoCo v2, on skeletons SkeletonCLR's.

    Args:
        temperature (float): Softmax temperature.
        level_weights (Sequence[float]): ``w``, one per query level, weakest first.
        similarity (str): ``d``. ``'kl'``: cross-entropy of :math:`p_i` with the target
            :math:`p_{i-1}`, the KL divergence up to a constant; ``'js'``:
            Jensen-Shannon divergence of the two; ``'cosine'``: one minus the cosine of
            the embeddings; ``'mse'``: their squared distance.
        asymmetric (bool): True, as in the paper: only the stronger view is pulled.
            False: the mean of both directions, each with the other view detached.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        temperature: float = 0.07,
        level_weights: Sequence[float] = (1.0, 0.5, 0.5),
        similarity: str = 'kl',
        asymmetric: bool = True,
    ) -> None:
        super().__init__(level_weights)
        if not 0 < temperature < math.inf:
            raise ValueError(
                f'temperature={temperature} is not positive; give a number above 0, '
                'such as 0.07.'
            )
        if similarity not in SIMILARITIES:
            raise ValueError(
                f'similarity={similarity!r} is unknown; known are '
                f'{", ".join(SIMILARITIES)}.'
            )
        self.temperature = temperature
        self.similarity = similarity
        self.asymmetric = asymmetric

    def logits(
        self, queries: Sequence[Tensor], key: Tensor, queue: Tensor
    ) -> list[Tensor]:
        """Cosines over the temperature, float32 ``(N, 1 + K)`` per level, key first."""
        stacked = torch.cat(list(queries)).float()
        # An error of half precision would be one over the temperature as large.
        with torch.autocast(stacked.device.type, enabled=False):
            negative = stacked @ queue.float().T
        positive = (stacked * key.repeat(len(queries), 1)).sum(1, keepdim=True)
        logits = torch.cat([positive, negative], dim=1) / self.temperature
        return list(logits.chunk(len(queries)))

    def loss(
        self,
        queries: Sequence[Tensor],
        key: Tensor,
        queue: Tensor,
        num_neighbors: int = 0,
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            queries (Sequence[Tensor]): Embeddings of the query views, weakest first,
                ``(N, D)`` each, of unit length.
            key (Tensor): Embeddings of the key view, ``(N, D)``, of unit length.
            queue (Tensor): Negatives, ``(K, D)``.
            num_neighbors (int): If not 0, neighbours are mined: each query level's
                nearest entries of the queue become positives of the InfoNCE loss
                (AimCLR, 'Nearest Neighbors Mining').

        Returns:
            dict: ``loss_contrast``, ``loss_level1``, ..., weighted; and detached
            ``contrast_accuracy`` (how often the key is nearer than the whole queue)
            and ``feature_spread`` (1: spread over the sphere, 0: collapsed).

        Raises:
            ValueError: If there is not one view for each weight.
        """
        self.check_levels(len(queries))
        logits = self.logits(queries, key, queue)
        positives = self.positives(logits, num_neighbors)
        levels = [
            dict(log_prob=F.log_softmax(level, dim=1), embedding=query.float())
            for level, query in zip(logits, queries, strict=True)
        ]
        contrast = -(levels[0]['log_prob'] * positives).sum(1) / positives.sum(1)
        losses = dict(loss_contrast=self.level_weights[0] * contrast.mean())
        for i in range(1, len(levels)):
            distance = self._distance(levels[i], levels[i - 1])
            losses[f'loss_level{i}'] = self.level_weights[i] * distance
        return dict(losses, **self._monitors(logits[0], queries[0]))

    @staticmethod
    @torch.no_grad()
    def positives(logits: Sequence[Tensor], num_neighbors: int = 0) -> Tensor:
        """Positive entries ``(N, 1 + K)``: the key, and mined neighbours if any."""
        positives = torch.zeros_like(logits[0])
        positives[:, 0] = 1
        if num_neighbors:
            for level in logits:
                nearest = level[:, 1:].topk(num_neighbors, dim=1).indices + 1
                positives.scatter_(1, nearest, 1)
        return positives

    def _distance(self, stronger: dict, weaker: dict) -> Tensor:
        def pull(student: dict, teacher: dict) -> Tensor:
            teacher = {name: value.detach() for name, value in teacher.items()}
            return SIMILARITIES[self.similarity](student, teacher)

        one_way = pull(stronger, weaker)
        return one_way if self.asymmetric else (one_way + pull(weaker, stronger)) / 2

    @staticmethod
    @torch.no_grad()
    def _monitors(logits: Tensor, query: Tensor) -> dict[str, Tensor]:
        # By more than rounding: after a collapse all are equal.
        hit = logits[:, 0] > logits[:, 1:].amax(1) + 1e-4
        return dict(
            contrast_accuracy=hit.float().mean(), feature_spread=feature_spread(query)
        )
