# Linear evaluation as released: github.com/JHang2020/HiCLR, commit 49ffdf8,
# config/release/gcn_ntu60/linear_eval/linear_eval_hiclr_xsub_joint.yaml.
_base_ = 'labelled.py'

train_cfg = dict(type='LinearProbeLoop', max_epochs=100, val_interval=10)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='SGD', lr=3.0, momentum=0.9, weight_decay=0),
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80], gamma=0.1, by_epoch=True, end=100)
]
auto_scale_lr = dict(base_batch_size=128)
