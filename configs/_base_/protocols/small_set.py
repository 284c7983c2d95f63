# Changes to the protocols for a few hundred clips.
pooled = dict(cls_head=dict(type='PooledGCNHead', pool=dict(time=4)))
finetuning = dict(
    model=dict(
        # `layout`: that of the data.
        cls_head=dict(
            type='PooledGCNHead',
            pool=dict(time=4, joints=True, std=True),
            layout=None,
        )
    ),
    train_dataloader=dict(drop_last=False),
    train_cfg=dict(max_epochs=70, val_interval=10),
    # The learning rate of the small pre-training, decayed to 0 by a cosine.
    optim_wrapper=dict(optimizer=dict(lr=0.03)),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
        dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True),
    ],
    auto_scale_lr=dict(base_batch_size=32),
)
# Of a pre-trained backbone, and the classifier that FineTuneLoop starts with, little is to
# be changed: a tenth of the rate. Batch norms do not adapt, so one long step would ruin it.
slowly = dict(lr_mult=0.1)
pretrained = dict(
    finetuning,
    train_cfg=dict(finetuning['train_cfg'], type='FineTuneLoop'),
    optim_wrapper=dict(
        finetuning['optim_wrapper'],
        paramwise_cfg=dict(custom_keys=dict(backbone=slowly, cls_head=slowly)),
        clip_grad=dict(max_norm=1.0),
    ),
)
protocols = dict(
    linear=dict(
        model=pooled,
        train_dataloader=dict(drop_last=False),
        # On standardised features the released rate of 3 is too high. This one was chosen
        # by leaving each subject in turn out of the training set of MSR-Action3D.
        optim_wrapper=dict(optimizer=dict(lr=0.01)),
        custom_hooks=[
            dict(type='LabelsCheckHook'),
            dict(type='PretrainedCheckHook'),
            dict(type='StandardizedFeaturesHook'),
        ],
        # The run takes seconds; saving nine more checkpoints would take as long.
        default_hooks=dict(checkpoint=dict(interval=100)),
        auto_scale_lr=dict(base_batch_size=32),
    ),
    finetune=pretrained,
    semi=pretrained,
    supervised=finetuning,
)
