# Shared by all protocols: the encoder of the pre-training config $HICLR_PRETRAINING in
# MMAction2's recognizer, trained on labelled clips. Our programs and `read_config` set the
# variable: they make X_linear.py from X.py and linear.py.
_base_ = '{{$HICLR_PRETRAINING:}}'

# If the number of pre-training epochs is computed from the data, use the file in which
# mmengine stores the name of the last checkpoint.
epochs = _base_.train_cfg.max_epochs
pretrained = 'work_dirs/{}/{}'.format(
    '{{$HICLR_PRETRAINING:}}'.rpartition('/')[2].removesuffix('.py'),
    f'epoch_{epochs}.pth' if epochs else 'last_checkpoint',
)
initialisation = _base_.model.backbone.get('init_cfg')
neck = _base_.model.get('neck') or {}
preprocessor = _base_.model.get('data_preprocessor') or dict(
    type='SkeletonViewPreprocessor'
)
model = dict(
    _delete_=True,
    type='RecognizerGCN',
    data_preprocessor={
        key: value
        for key, value in preprocessor.items()
        if key not in ('views', 'ada_in')
    },
    backbone=dict(
        _base_.model.backbone,
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='backbone.'),
    ),
    cls_head=dict(
        type='GCNHead',
        num_classes=_base_.num_classes,
        # A learner without a projector has its backbone's width.
        in_channels=neck.get(
            'in_channels', _base_.model.backbone.get('out_channels', 256)
        ),
    ),
)

# The classifier trains on the clips of the k-NN's bank; with several sets, of the last set.
train_clips, val_clips = _base_.val_dataloader.dataset.datasets[-2:]
prepare = val_clips.pipeline[:-1]
pack = [
    dict(type='FormatGCNInput', num_person=_base_.num_person),
    dict(type='PackActionInputs', meta_keys=('frame_dir',)),
]
labelled_pipeline = [*prepare, *pack]
augmented_pipeline = [*prepare, *_base_.labelled_augmentation, *pack]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        train_clips,
        _delete_=True,
        pipeline=labelled_pipeline,
        filter_cfg=dict(labelled=True),
        test_mode=False,
    ),
)
val_dataloader = dict(
    dataset=dict(
        val_clips,
        _delete_=True,
        pipeline=labelled_pipeline,
        filter_cfg=dict(labelled=True),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='AccMetric')
test_evaluator = val_evaluator

# Results are of the last epoch, so no best checkpoint is saved.
default_hooks = dict(checkpoint=dict(save_best=None, max_keep_ckpts=1))
custom_hooks = [dict(type='LabelsCheckHook'), dict(type='PretrainedCheckHook')]
