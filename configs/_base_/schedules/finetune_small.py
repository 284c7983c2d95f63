# Fine-tuning on some hundred clips: the small pre-training's rate, cosine to 0.
train_cfg = dict(type='ResumableTrainLoop', max_epochs=70, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4, nesterov=True)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
