# The released fine-tuning. It counts epochs from 1 and divides the rate by 10 at the
# start of epochs 30 and 55; the warm-up is a fifth of the rate more each epoch.
train_cfg = dict(type='ResumableTrainLoop', max_epochs=70, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', milestones=[29, 54], gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=64)
