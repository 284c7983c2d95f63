# The pre-training goes on for an epoch. Under torch 2.6 and newer mmengine refuses its own
# checkpoints; `hiclr_mmaction.safe_loading` is the one line that lets it read them.
_base_ = 'pretrain.py'

custom_imports = dict(imports=['hiclr_mmaction', 'hiclr_mmaction.safe_loading'])
train_cfg = dict(max_epochs=2)
load_from = '{{$OTHER_PROJECT_CHECKPOINT:pretrained.pth}}'
resume = True
