# Supervised from scratch on NTU-60: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_ntu60_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
