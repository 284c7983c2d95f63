# Fine-tuning on PKU-MMD I: the recipe released for NTU-60; none is published for this set.
_base_ = [
    '_base_/labelled_runtime.py',
    '_base_/models/recognizer_stgcn.py',
    '_base_/datasets/pku1_labelled.py',
    '_base_/schedules/finetune_70e.py',
]

pretrained = 'work_dirs/hiclr_stgcn_pku1/epoch_600.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=51),
)
train_dataloader = dict(batch_size=64)
