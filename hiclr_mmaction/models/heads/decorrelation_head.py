"""Losses that decorrelate the coordinates of embeddings, without negatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ..modules import feature_spread, gather_rows
from .level_head import LevelHead, are_weights


def _off_diagonal(x: Tensor) -> Tensor:
    return x - torch.diag(x.diagonal())


def _vicreg(a: Tensor, b: Tensor) -> dict[str, Tensor]:
    variances, covariances = [], []
    for x in (a, b):
        x = x - x.mean(0)
        variances.append(F.relu(1 - (x.var(0) + 1e-4).sqrt()).mean())
        covariance = x.T @ x / (len(x) - 1)
        covariances.append(_off_diagonal(covariance).square().sum() / x.shape[1])
    return dict(
        invariance=F.mse_loss(a, b),
        variance=torch.stack(variances).mean(),
        covariance=torch.stack(covariances).sum(),
    )


def _barlow(a: Tensor, b: Tensor) -> dict[str, Tensor]:
    a, b = (F.batch_norm(x, None, None, training=True) for x in (a, b))
    correlation = a.T @ b / len(a)
    return dict(
        invariance=(correlation.diagonal() - 1).square().mean(),
        redundancy=_off_diagonal(correlation).square().sum() / a.shape[1],
    )


# Each loss with the weights of its parts.
LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], dict], tuple[float, ...]]] = dict(
    vicreg=(_vicreg, (1.0, 1.0, 0.04)),
    barlow=(_barlow, (1.0, 0.005)),
)


def _cosine(student: Tensor, teacher: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(student, teacher).mean()


PULLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = dict(
    cosine=_cosine, mse=F.mse_loss
)


@MODELS.register_module()
class DecorrelationHead(LevelHead):
    r"""Decorrelation of the weakest view and the key, one-way pull of the stronger ones.

    With the embeddings :math:`z_i` of the query views and :math:`z_k` of the key view the
    loss is

    .. math:: w_0 L(z_0, z_k) + \sum_{i \ge 1} w_i\, d(z_i, sg(z_{i-1}))

    where :math:`L` is over the batch of all ranks, :math:`D` is the width, and

    - ``'vicreg'`` (VICReg, ICLR 2022, arXiv 2105.04906, equations 1 to 6): mean squared
      distance of the two (invariance); hinge of each coordinate's standard deviation at 1,
      mean of both (variance); sum of the squared covariances of different coordinates over
      :math:`D`, of both (covariance). Normalised as its released code is.
    - ``'barlow'`` (Barlow Twins, ICML 2021, arXiv 2103.03230, equations 1 and 2), over
      :math:`D`: with :math:`C` the correlation of the two views' coordinates, the sum of
      :math:`(1 - C_{ii})^2` (invariance) and that of the other :math:`C_{ij}^2`
      (redundancy).

    Args:
        loss (str): ``L``, ``'vicreg'`` or ``'barlow'``.
        weights (Sequence[float], optional): Of the parts of ``L``, in the order above. By
            default (1, 1, 0.04) for VICReg, in the paper 25 times as much, and (1, 0.005)
            for Barlow Twins.
        level_weights (Sequence[float]): ``w``, one per query level, weakest first.
        similarity (str): ``d``. ``'cosine'``: one minus the cosine; ``'mse'``: the mean
            squared difference of the coordinates.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        loss: str = 'vicreg',
        weights: Sequence[float] | None = None,
        level_weights: Sequence[float] = (1.0, 0.5, 0.5),
        similarity: str = 'cosine',
    ) -> None:
        super().__init__(level_weights)
        if loss not in LOSSES:
            raise ValueError(
                f'loss={loss!r} is unknown; known are {", ".join(LOSSES)}.'
            )
        if similarity not in PULLS:
            raise ValueError(
                f'similarity={similarity!r} is unknown; known are {", ".join(PULLS)}.'
            )
        self._decorrelate, default = LOSSES[loss]
        self.weights = default if weights is None else tuple(weights)
        if len(self.weights) != len(default):
            raise ValueError(
                f'weights={self.weights}: give {len(default)} weights for the parts of '
                f'loss={loss!r}, such as {default}.'
            )
        if not are_weights(self.weights):
            raise ValueError(f'weights={self.weights}: give numbers, 0 or more.')
        self.similarity = similarity

    def loss(self, queries: Sequence[Tensor], key: Tensor) -> dict[str, Tensor]:
        """Losses and monitors of a batch, in float32.

        Args:
            queries (Sequence[Tensor]): Embeddings of the query views, weakest first,
                ``(N, D)`` each, not of unit length; as many on each rank.
            key (Tensor): Embeddings of the key view, ``(N, D)``.

        Returns:
            dict: ``loss_`` and the name of each part of ``L``, ``loss_level1``, ...,
            weighted; and detached ``feature_spread``, of the weakest view (1: spread over
            the sphere, 0: collapsed).

        Raises:
            ValueError: If there is not one view for each weight, or only one clip.
        """
        self.check_levels(len(queries))
        queries = [x.float() for x in queries]
        with torch.autocast(key.device.type, enabled=False):
            a, b = gather_rows(queries[0]), gather_rows(key.float())
            if len(a) < 2:
                raise ValueError(
                    'a batch of one clip has no variance; set '
                    'train_dataloader.drop_last=True, or batch_size to 2 or more.'
                )
            parts = self._decorrelate(a, b)
        losses = {
            f'loss_{name}': self.level_weights[0] * weight * part
            for (name, part), weight in zip(parts.items(), self.weights, strict=True)
        }
        pull = PULLS[self.similarity]
        for i in range(1, len(queries)):
            distance = pull(queries[i], queries[i - 1].detach())
            losses[f'loss_level{i}'] = self.level_weights[i] * distance
        spread = feature_spread(F.normalize(queries[0], dim=1))
        return dict(losses, feature_spread=spread)
