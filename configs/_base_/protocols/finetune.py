# Fine-tuning as released: github.com/JHang2020/HiCLR, commit 49ffdf8,
# config/release/gcn_ntu60/finetune/xsub_joint.yaml. It counts epochs from 1 and divides
# the rate by 10 at the start of epochs 30 and 55; the warm-up adds a fifth of the rate
# each epoch.
_base_ = 'labelled.py'

train_dataloader = dict(
    batch_size=min(64, _base_.train_dataloader.batch_size),
    dataset=dict(pipeline=_base_.augmented_pipeline),
)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=70, val_interval=5)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', milestones=[29, 54], gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(base_batch_size=64)
