# Supervised from scratch on PKU-MMD I: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_pku1_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
