# Supervised from scratch on NW-UCLA, cross-view: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_nw_ucla_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
