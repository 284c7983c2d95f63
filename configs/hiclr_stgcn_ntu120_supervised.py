# Supervised from scratch on NTU-120: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_ntu120_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
