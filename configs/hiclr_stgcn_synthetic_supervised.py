# Supervised from scratch on the embedded default: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_synthetic_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
