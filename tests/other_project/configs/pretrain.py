# Another project's pre-training: the recognizer, its parts and the metric are ours, the
# data set and the loops MMAction2's.
default_scope = 'mmaction'
custom_imports = dict(imports=['hiclr_mmaction'])

layout = 'nturgb+d'
data = '{{$OTHER_PROJECT_DATA:data}}/poses.pkl'
model = dict(
    type='HiCLR',
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout=layout, mode='stgcn_spatial'),
        base_channels=4,
        out_channels=16,
        num_stages=3,
        inflate_stages=[3],
        down_stages=[3],
    ),
    neck=dict(type='SkeletonProjector', in_channels=16, out_channels=8),
    head=dict(type='HierarchicalContrastHead', level_weights=(1.0, 0.5)),
    queue_size=16,
)

align = dict(type='SkeletonAlign', layout=layout, num_frames=12)
views = [[dict(type='SkeletonShear')], [dict(type='SkeletonJointMask')]]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='PoseDataset',
        ann_file=data,
        split='train',
        pipeline=[
            align,
            dict(type='GrowingAugmentation', levels=views),
            dict(type='PackSkeletonViews'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='PoseDataset',
                ann_file=data,
                split=split,
                test_mode=True,
                pipeline=[align, dict(type='PackSkeletonViews', knn_bank=bank)],
            )
            for split, bank in [('train', True), ('val', False)]
        ],
    ),
)
val_evaluator = dict(type='KNNMetric', ks=(1,))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
val_cfg = dict(type='ValLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
visualizer = dict(type='ActionVisualizer', vis_backends=[dict(type='LocalVisBackend')])
