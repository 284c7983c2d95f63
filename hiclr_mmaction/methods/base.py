"""The base of self-supervised learners: the interface that hooks, checks and tools use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated

from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..models.modules import (
    EdgePerturbation,
    blocks_of,
    check_layers,
    layer_features,
    side_by_side,
)


class SkeletonLearner(BaseRecognizer):
    """Base of the self-supervised learners: a recognizer without labels.

    A learner implements :meth:`loss` and, if it has more parts, ``__init__``. Hooks,
    checks and tools call the other methods; their defaults suit a learner with one
    encoder.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict, optional): Projector, e.g. :class:`SkeletonProjector`.
        head (dict, optional): The losses.
        data_preprocessor (dict, optional): Makes the views; by default
            :class:`SkeletonViewPreprocessor` without arguments.
        init_cfg (dict | list[dict], optional): Initialisation.
        pool (dict, optional): ``time`` and ``joints``, what the features of
            :meth:`extract_feat` keep apart, and ``layers``, whose features are added, as
            in :func:`~hiclr_mmaction.models.modules.layer_features`. None: nothing.
    """

    #: Drops and adds edges of the backbone for some views; None: for no view.
    edge_perturbation: EdgePerturbation | None = None

    def __init__(
        self,
        backbone: dict,
        neck: dict | None = None,
        head: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        pool: Annotated[dict, check_layers] | None = None,
    ) -> None:
        check_layers(**(pool or {}))
        preprocessor = data_preprocessor or dict(type='SkeletonViewPreprocessor')
        super().__init__(
            backbone=backbone,
            neck=neck,
            # Built here: without a default scope mmengine would look for it in its
            # own registry.
            data_preprocessor=MODELS.build(preprocessor),
        )
        self.init_cfg = init_cfg
        self.pool = dict(pool or {})
        blocks_of(self.backbone, self.pool.get('layers', ()))
        if head is not None:
            self.head = MODELS.build(head)

    @abstractmethod
    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): The views, as the data preprocessor gives them.
            data_samples (list, optional): The labels; not used.

        Returns:
            dict: Losses, whose names have ``'loss'`` in them and which are summed, and
            detached monitors, which are logged. :class:`CollapseWarningHook` watches
            ``feature_spread`` (see :func:`~hiclr_mmaction.models.modules.feature_spread`).
        """

    def extract_feat(self, inputs: Tensor, **kwargs) -> Tensor:
        """Pooled backbone features ``(N, D)`` of clips ``(N, M, T, V, C)``."""
        return side_by_side(layer_features(self.backbone, inputs, self.pool))

    def predict(
        self, inputs: Tensor, data_samples: list | None = None, **kwargs
    ) -> Tensor:
        """The same as :meth:`extract_feat`."""
        return self.extract_feat(inputs)

    def _forward(self, inputs: Tensor, **kwargs) -> Tensor:
        return self.extract_feat(inputs)

    @property
    def encoders(self) -> dict[str, nn.Module]:
        """The encoders by their names in the model; the first one is exported."""
        return dict(backbone=self.backbone)

    def set_epoch(self, epoch: int) -> None:
        """Called at the start of a training epoch, counted from 0."""

    def check_data(self, num_clips: int, batch_size: int) -> None:
        """Check the size of the training set, before training.

        Args:
            num_clips (int): Clips in the training set.
            batch_size (int): Clips in a step, of all ranks together.

        Raises:
            ValueError: If the model cannot be trained with these sizes.
        """

    @classmethod
    def fill(cls, model: dict, num_clips: int, batch_size: int) -> None:
        """Set the settings of this model that are None and follow from the data.

        Args:
            model (dict): The settings of this model; is changed.
            num_clips (int): Clips in the training set.
            batch_size (int): Clips in a step of one rank.
        """

    @classmethod
    def check(cls, model: Mapping, cfg: Mapping) -> Iterator[str]:
        """Find mistakes in the whole config that constructors cannot see.

        Args:
            model (Mapping): The settings of this model.
            cfg (Mapping): The whole config.

        Yields:
            str: A sentence for each mistake: setting, value, remedy.
        """
        yield from ()
