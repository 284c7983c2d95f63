"""Decorrelation of growing views: VICReg and Barlow Twins on skeletons."""

from __future__ import annotations

from mmaction.registry import MODELS
from mmengine.dist import get_world_size
from torch import Tensor

from .base import GrowingViews


@MODELS.register_module()
class SkeletonVICReg(GrowingViews):
    """VICReg (ICLR 2022, arXiv 2105.04906) or Barlow Twins with views of growing strength.

    The key view and the weakest query go through the same encoder. The loss makes their
    embeddings equal, and keeps the coordinates of the embeddings varying and uncorrelated
    over the batch. As in HiCLR, each stronger view is pulled one way towards the next
    weaker one. There are no negatives, no queue and no second encoder.

    Args:
        **kwargs: Of :class:`GrowingViews`: ``head`` is e.g.
            :class:`DecorrelationHead`, ``neck`` a projector wider than the backbone, e.g.
            :class:`SkeletonProjector` with ``norm``.

    Raises:
        ValueError: If an argument is out of range.
    """

    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): The views, as :meth:`embed_queries` takes them.
            data_samples (list, optional): Not used.

        Returns:
            dict: As :meth:`DecorrelationHead.loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views.
        """
        self.require_views(inputs)
        key = self.neck(self.backbone(inputs['key']))
        queries = self.embed_queries(inputs)
        return self.head.loss(queries, key)

    def check_data(self, num_clips: int, batch_size: int) -> None:
        """Check that each process has two clips or more in a step."""
        ranks = get_world_size()
        if batch_size < 2 * ranks:
            raise ValueError(
                f'{batch_size} clip(s) in a step on {ranks} process(es): variance needs 2 '
                'or more in each; make train_dataloader.batch_size larger.'
            )
