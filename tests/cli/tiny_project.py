"""A user's project in small: what a config of the tool tests names.

Imported by those configs through `custom_imports`, as a user's own project is.
"""

import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch.utils.data import Dataset


@DATASETS.register_module()
class TinyNumbers(Dataset):
    """`inputs` is the sample's number, which the model is to double."""

    METAINFO = dict(classes=('small', 'large'))

    def __init__(self, length=8):
        if length < 1:
            raise ValueError(f'length={length} is not a positive number of samples')
        self.metainfo = self.METAINFO
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return dict(inputs=torch.tensor([float(index + 1)]))


@MODELS.register_module()
class TinyModel(BaseModel):
    """One weight w, with the loss (w x - 2 x)^2."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1, bias=False)

    def forward(self, inputs, mode='tensor'):
        x = torch.stack(list(inputs))
        y = self.linear(x)
        if mode == 'loss':
            return dict(loss=(y - 2 * x).square().mean())
        return [dict(value=value.item()) for value in y]


@METRICS.register_module()
class TinyMean(BaseMetric):
    """The mean prediction."""

    def process(self, data_batch, data_samples):
        self.results.extend(sample['value'] for sample in data_samples)

    def compute_metrics(self, results):
        return dict(mean=sum(results) / len(results))
