# Whatever trains on labels: the last epoch is the result, so no best one is looked for.
_base_ = 'default_runtime.py'

default_hooks = dict(checkpoint=dict(save_best=None, max_keep_ckpts=1))
custom_hooks = [dict(type='LabelsCheckHook'), dict(type='PretrainedCheckHook')]
