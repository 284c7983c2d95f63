# Supervised from scratch on MSR-Action3D, cross-subject: fine-tuning without pre-training.
_base_ = 'hiclr_stgcn_msr_finetune.py'

model = dict(backbone=dict(init_cfg=_base_.init_cfg))
custom_hooks = [dict(type='LabelsCheckHook')]
