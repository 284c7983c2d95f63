"""What `wrong_parts` must leave alone; what it finds is in tests/tools."""

import pytest
from mmaction.registry import HOOKS, MODELS
from mmengine.hooks import Hook
from torch import nn

from hiclr_mmaction.engine.config_parts import wrong_parts


@pytest.fixture
def elsewhere():
    """Classes of another project, one of which hands its settings on."""

    class Hands(nn.Module):
        def __init__(self, hidden_channels, **kwargs):
            super().__init__()
            self.inner = dict(kwargs)

    class Exact(Hook):
        def __init__(self, begin):
            self.begin = begin

    MODELS.register_module(module=Hands)
    HOOKS.register_module(module=Exact)
    yield
    del MODELS.module_dict['Hands'], HOOKS.module_dict['Exact']


SOUND = {
    'variables of the config': dict(
        train_pipeline=[], train_dataloader_cfg=dict(), model2=dict(), dataset='ntu'
    ),
    'what a GCN hands to its blocks': dict(
        model=dict(
            type='RecognizerGCN',
            backbone=dict(type='STGCN', graph_cfg=dict(), gcn_adaptive='init', tcn_d=1),
        )
    ),
    'what a hook hands on': dict(
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', backend='x'))
    ),
    'a hook that is switched off': dict(default_hooks=dict(checkpoint=None)),
    'what mmengine takes out': dict(
        param_scheduler=[dict(type='LinearLR', convert_to_iter_based=True)],
        custom_hooks=[dict(type='EMAHook', priority='LOW')],
        train_cfg=dict(by_epoch=True, max_epochs=3),
    ),
    'another package': dict(model=dict(type='mmdet.DETR', anything=1)),
    'a class': dict(model=dict(type=nn.Linear, in_features=1, out_features=1)),
    'optimizers with a constructor': dict(
        optim_wrapper=dict(constructor='Two', a=dict(), b=dict()),
        param_scheduler=dict(a=[dict(type='LinearLR')]),
    ),
    'a class that takes any keyword': dict(model=dict(type='Hands', breadth=3)),
}


@pytest.mark.parametrize('name', SOUND)
def test_what_is_sound_is_left_alone(name, elsewhere):
    assert list(wrong_parts(SOUND[name])) == []


def test_other_projects_classes_are_checked_too(elsewhere):
    cfg = dict(
        model=dict(type='Hands', hidden_chanels=3),
        custom_hooks=[dict(type='Exact', beginning=1)],
    )
    assert list(wrong_parts(cfg)) == [
        'model.hidden_chanels is not a setting of Hands; did you mean hidden_channels?',
        'custom_hooks.0.beginning is not a setting of Exact; did you mean begin?',
    ]
