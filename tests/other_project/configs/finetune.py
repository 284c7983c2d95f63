# Another project's recognizer around our backbone, with one of our transforms in a
# pipeline of MMAction2's. The learning rate is 0, so that a test can see the weights.
default_scope = 'mmaction'
custom_imports = dict(imports=['hiclr_mmaction', 'hiclr_mmaction.safe_loading'])

data = '{{$OTHER_PROJECT_DATA:data}}/poses.pkl'
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        base_channels=4,
        out_channels=16,
        num_stages=3,
        inflate_stages=[3],
        down_stages=[3],
        init_cfg=dict(
            type='Pretrained',
            checkpoint='{{$OTHER_PROJECT_CHECKPOINT:pretrained.pth}}',
            prefix='backbone.',
        ),
    ),
    cls_head=dict(type='GCNHead', num_classes=2, in_channels=16),
)

pipeline = [
    dict(type='PreNormalize3D'),
    dict(type='GenSkeFeat', dataset='nturgb+d', feats=['j']),
    dict(type='SkeletonRotate', main_degrees=20),
    dict(type='UniformSampleFrames', clip_len=12),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='PoseDataset', ann_file=data, split='train', pipeline=pipeline),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PoseDataset',
        ann_file=data,
        split='val',
        pipeline=pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='AccMetric')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
val_cfg = dict(type='ValLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.0))
visualizer = dict(type='ActionVisualizer', vis_backends=[dict(type='LocalVisBackend')])
