# Fine-tuning on NTU-60, as released: github.com/JHang2020/HiCLR, commit 49ffdf8,
# config/release/gcn_ntu60/finetune/xsub_joint.yaml.
_base_ = [
    '_base_/labelled_runtime.py',
    '_base_/models/recognizer_stgcn.py',
    '_base_/datasets/ntu60_labelled.py',
    '_base_/schedules/finetune_70e.py',
]

pretrained = 'work_dirs/hiclr_stgcn_ntu60/epoch_300.pth'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    cls_head=dict(num_classes=60),
)
train_dataloader = dict(batch_size=64)
