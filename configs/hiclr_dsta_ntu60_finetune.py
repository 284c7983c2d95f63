# Fine-tuning of the transformer, as released: github.com/JHang2020/HiCLR, commit 49ffdf8,
# config/release/transformer_ntu60/finetune/xsub_joint.yaml. Clips are cropped and sheared.
_base_ = 'hiclr_stgcn_ntu60_finetune.py'

pretrained = 'work_dirs/hiclr_dsta_ntu60/epoch_300.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DSTANet',
        num_joints=25,
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='backbone.'),
    )
)
align, *packing = _base_.labelled_pipeline
train_dataloader = dict(
    batch_size=128, dataset=dict(pipeline=[align, *_base_.basic, *packing])
)
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
train_cfg = dict(max_epochs=80)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', milestones=[34, 54], gamma=0.1, by_epoch=True),
]
