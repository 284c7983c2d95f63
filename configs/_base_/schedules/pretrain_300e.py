# The released schedule: SGD, the learning rate divided by 10 after epoch 250.
train_cfg = dict(type='ResumableTrainLoop', max_epochs=300, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=False)
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[250], gamma=0.1, by_epoch=True, end=300)
]
auto_scale_lr = dict(enable=False, base_batch_size=128)
