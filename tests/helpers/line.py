"""The smallest model and data set that mmengine trains."""

import torch
from mmengine.model import BaseModel


class Line(BaseModel):
    """y = w x, with the loss y^2."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        # a list or a batch, as the loader is mmengine's or torch's
        return dict(loss=self.linear(torch.stack(list(inputs))).square().mean())


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(inputs=torch.tensor([float(index)]))
