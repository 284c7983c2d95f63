# For a few hundred clips: SGD, cosine decay to 0. Our programs compute max_epochs from the
# number of clips, and set val_interval to a tenth of it: see fill_from_file.
train_cfg = dict(type='ResumableTrainLoop', max_epochs=None, val_interval=None)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, convert_to_iter_based=True)
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
