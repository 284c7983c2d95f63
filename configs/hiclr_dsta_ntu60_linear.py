# Linear evaluation of the transformer, as released: github.com/JHang2020/HiCLR, commit
# 49ffdf8, config/release/transformer_ntu60/linear_eval/linear_eval_hiclr_xsub_joint.yaml.
_base_ = 'hiclr_stgcn_ntu60_linear.py'

pretrained = 'work_dirs/hiclr_dsta_ntu60/epoch_300.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DSTANet',
        num_joints=25,
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='backbone.'),
    )
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[30, 80], gamma=0.1, by_epoch=True, end=100)
]
