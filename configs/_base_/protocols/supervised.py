# Supervised from scratch: fine-tuning without pre-training.
_base_ = 'finetune.py'

model = dict(backbone=dict(init_cfg=_base_.initialisation))
custom_hooks = [dict(type='LabelsCheckHook')]
