"""The bases of self-supervised learners, whose interface hooks, checks and tools use."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Annotated

import torch
import torch.nn.functional as F
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.logging import print_log
from torch import Tensor, nn

from ..datasets.wrapped import dataset_cfgs, is_kind, is_known
from ..models import SkeletonViewPreprocessor
from ..models.modules import (
    BatchShuffle,
    EdgePerturbation,
    FeatureQueue,
    ForeachEMA,
    blocks_of,
    check_layers,
    fill_masked,
    keep_absent,
    layer_features,
    side_by_side,
)
from ..views import GrowingAugmentation


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
    #: Settings that may be None in a config; :meth:`fill` computes them from the data.
    sizes_from_data: tuple[str, ...] = ()

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
            inputs (dict): The views, as the data preprocessor gives them: ``key``, the
                list ``queries`` and, if a transform masks joints, ``mask``. The queries
                are whole; see :func:`fill_masked`.
            data_samples (list, optional): The labels; not used.

        Returns:
            dict: Losses, whose names have ``'loss'`` in them and which are summed, and
            detached monitors, which are logged. :class:`CollapseWarningHook` watches
            ``feature_spread`` (see :func:`~hiclr_mmaction.models.modules.feature_spread`).
        """

    def require_views(self, inputs: dict | Tensor) -> None:
        """Raise ValueError if the inputs of :meth:`loss` are clips instead of views."""
        if not isinstance(inputs, dict):
            raise ValueError(
                f'{type(self).__name__}.loss: inputs are clips, not views; set '
                'model.data_preprocessor.views=dict(levels=[...]).'
            )

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
        """The encoders by their names in the model, to compile.

        ``backbone`` is the one that is read out and exported.
        """
        return dict(backbone=self.backbone)

    def set_epoch(self, epoch: int) -> None:
        """Called by :class:`ResumableTrainLoop` before each epoch, counted from 0."""

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
        """Set the settings in ``sizes_from_data`` that are None.

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


class GrowingViews(SkeletonLearner):
    """Base of learners whose query views grow in strength, the weakest first.

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Projector, to ``(N, D)``; e.g. :class:`SkeletonProjector`.
        head (dict): The losses.
        graph_augment (dict, optional): Arguments of :class:`EdgePerturbation`
            (``drop``, ``add``, ``levels``).
        mask_token (bool): Whether masked joints have a learnable value, 0 at first;
            else they are 0.
        **kwargs: Of :class:`SkeletonLearner`, or another base.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        *,
        graph_augment: Annotated[dict, EdgePerturbation] | None = None,
        mask_token: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(backbone, neck, head, **kwargs)
        self.mask_token = nn.Parameter(torch.zeros(1)) if mask_token else None
        if graph_augment is not None:
            self.edge_perturbation = EdgePerturbation(self.backbone, **graph_augment)
        views = getattr(self.data_preprocessor, 'views', None)
        for part in (self.head, self.edge_perturbation):
            check_levels = getattr(part, 'check_levels', None)
            if views is not None and check_levels is not None:
                check_levels(views.num_levels)

    @classmethod
    def check(cls, model: Mapping, cfg: Mapping) -> Iterator[str]:
        """Find views that are made twice, or by nothing."""
        yield from super().check(model, cfg)
        preprocessor = model.get('data_preprocessor') or {}
        if preprocessor and not is_kind(preprocessor, MODELS, SkeletonViewPreprocessor):
            return
        loader = cfg.get('train_dataloader') or {}
        transforms = [
            transform
            for _, dataset in dataset_cfgs(loader.get('dataset'), '')
            for transform in dataset.get('pipeline') or ()
        ]
        made = any(is_kind(t, TRANSFORMS, GrowingAugmentation) for t in transforms)
        if made and preprocessor.get('views') is not None:
            yield (
                'data_preprocessor.views: GrowingAugmentation in the pipeline of '
                'train_dataloader makes views too, which are taken; remove one of them'
            )
        # A transform of another project may make them.
        elif (
            transforms
            and not made
            and preprocessor.get('views') is None
            and all(is_known(t, TRANSFORMS) for t in transforms)
        ):
            yield (
                'nothing makes views: set '
                'model.data_preprocessor.views=dict(levels=[...])'
            )

    def embed_queries(self, inputs: dict) -> list[Tensor]:
        """Embeddings ``(N, D)`` of all query views.

        Args:
            inputs (dict): ``key (N, M, T, V, C)``; ``queries``, a list of the same,
                weakest first; ``mask``, where the last query is masked, or a list with
                one (or None) for each query, see :func:`fill_masked`.
        """
        views = fill_masked(inputs['queries'], inputs.get('mask'), self.mask_token)
        views = keep_absent(self.backbone, views, [inputs['key'], inputs['queries'][0]])
        return [self.embed_query(x, i, len(views)) for i, x in enumerate(views)]

    def embed_query(self, x: Tensor, level: int = 0, num_levels: int = 1) -> Tensor:
        """Embeddings ``(N, D)`` of a query view, edges perturbed if its level has it."""
        perturbation = self.edge_perturbation
        if perturbation is not None and perturbation.acts_on(level, num_levels):
            return self.neck(perturbation(self.backbone, x))
        return self.neck(self.backbone(x))


class QueueLearner(SkeletonLearner):
    """Base of learners with a key encoder and a queue of its embeddings (MoCo).

    Args:
        backbone (dict): Backbone, ``(N, M, T, V, C)`` to ``(N, M, C', T', V)``.
        neck (dict): Projector, to ``(N, D)``; e.g. :class:`SkeletonProjector`.
        head (dict): The losses.
        queue_size (int): Number of negatives, at least the batch of all ranks. In a
            config None is half of the training clips (:meth:`fill`).
        momentum (float): Share of the query encoder in each update of the key
            encoder; 0.001 is an average of 0.999.
        shuffle_bn (bool): Whether the clips of all ranks are shuffled for the key
            encoder and its embeddings unshuffled, as in MoCo: batch norm then does not
            reveal the pairs (:class:`BatchShuffle`). In one process it has no effect.
        **kwargs: Of :class:`SkeletonLearner`.

    Raises:
        ValueError: If an argument is out of range.
    """

    sizes_from_data = ('queue_size',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        *,
        queue_size: int | None = 32768,
        momentum: float = 0.001,
        shuffle_bn: bool = False,
        **kwargs,
    ) -> None:
        if queue_size is None:
            raise ValueError(
                'queue_size=None: our programs set it to half of the training clips; '
                'elsewhere set model.queue_size yourself.'
            )
        if not 0 < momentum < 1:
            raise ValueError(
                f'momentum={momentum} is not between 0 and 1; it is the part of the query '
                'encoder that the key encoder takes in (0.001 for an EMA of 0.999).'
            )
        super().__init__(backbone, neck, head, **kwargs)
        self.key_encoder = ForeachEMA(self.query_encoder, momentum)
        self.shuffle_bn = shuffle_bn
        self.queue = FeatureQueue(queue_size, self.neck.out_channels)

    @torch.no_grad()
    def embed_key(self, x: Tensor) -> Tensor:
        """Embeddings ``(N, D)`` of the key view, by the key encoder."""
        self.key_encoder.update_parameters(self.query_encoder)
        if not self.shuffle_bn:
            return F.normalize(self.key_encoder(x).float(), dim=1)
        batch = BatchShuffle(len(x), x.device)
        key = self.key_encoder(batch.shuffle(x))
        return F.normalize(batch.unshuffle(key).float(), dim=1)

    @property
    def query_encoder(self) -> nn.Sequential:
        """Backbone and neck, as the key encoder averages them."""
        return nn.Sequential(OrderedDict(backbone=self.backbone, neck=self.neck))

    @property
    def encoders(self) -> dict[str, nn.Module]:
        """The backbone, and the average of backbone and neck."""
        return {
            'backbone': self.backbone,
            'key_encoder.module': self.key_encoder.module,
        }

    def check_data(self, num_clips: int, batch_size: int) -> None:
        """Compare the queue with the batch and with the training set."""
        self.queue.check_batch(batch_size)
        if len(self.queue.features) > num_clips:
            print_log(
                f'queue_size={len(self.queue.features)} is more than the {num_clips} clips '
                'of the training set: the queue will hold each clip several times, its '
                'own view among its negatives. A queue well below the number of clips '
                'learns better.',
                'current',
                logging.WARNING,
            )

    @classmethod
    def fill(cls, model: dict, num_clips: int, batch_size: int) -> None:
        """Make the queue half of the training clips, in whole batches."""
        if model.get('queue_size', 0) is None:
            model['queue_size'] = max(
                batch_size, num_clips // 2 // batch_size * batch_size
            )
