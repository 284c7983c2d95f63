"""A learner written outside of the package: BYOL (arXiv 2006.07733), without a queue."""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import ExponentialMovingAverage
from torch import nn

from hiclr_mmaction.methods import SkeletonLearner
from hiclr_mmaction.models.modules import feature_spread


@MODELS.register_module()
class BYOL(SkeletonLearner):
    """Each of two views predicts what an average of the encoder makes of the other."""

    def __init__(self, backbone, neck, data_preprocessor=None, momentum=0.01):
        super().__init__(backbone, neck, data_preprocessor=data_preprocessor)
        width = self.neck.out_channels
        self.predictor = nn.Sequential(
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width),
        )  # fmt: skip
        self.target = ExponentialMovingAverage(self.encoder(), momentum)

    def encoder(self):
        return nn.Sequential(self.backbone, self.neck)

    def loss(self, inputs, data_samples=None):
        views = inputs['key'], inputs['queries'][0]
        self.target.update_parameters(self.encoder())
        with torch.no_grad():
            targets = [F.normalize(self.target(view), dim=1) for view in views]
        online = [F.normalize(self.neck(self.backbone(view)), dim=1) for view in views]
        predicted = [F.normalize(self.predictor(x), dim=1) for x in online]
        far = [
            2 - 2 * (p * t).sum(1)
            for p, t in zip(predicted, reversed(targets), strict=True)
        ]
        return dict(
            loss_byol=torch.cat(far).mean(), feature_spread=feature_spread(online[0])
        )
