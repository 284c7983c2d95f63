# The released linear evaluation: SGD with a rate of 3, divided by 10 after epoch 80.
train_cfg = dict(type='LinearProbeLoop', max_epochs=100, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=3.0, momentum=0.9, weight_decay=0))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80], gamma=0.1, by_epoch=True, end=100)
]
auto_scale_lr = dict(enable=False, base_batch_size=128)
