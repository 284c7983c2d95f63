# Made-up motions of 12 actions, two of them between two people: needs no file.
layout = 'nturgb+d'

align = dict(type='SkeletonAlign', layout=layout, num_frames=24, num_person=2)
basic_and_normal = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear'),
    dict(type='SkeletonMirror', layout=layout),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur', normalize=True),
    dict(type='SkeletonChannelMask'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.1)]
train_pipeline = [
    align,
    dict(type='GrowingAugmentation', levels=[basic_and_normal, [], strong]),
    dict(type='PackSkeletonViews'),
]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]
val_pipeline = [align, dict(type='PackSkeletonViews')]

train_dataloader = dict(
    batch_size=24,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='SyntheticSkeletons', split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    # The k-NN looks for the neighbours of the second split's clips in the first.
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='SyntheticSkeletons',
                split='train',
                pipeline=bank_pipeline,
                test_mode=True,
            ),
            dict(
                type='SyntheticSkeletons',
                split='val',
                pipeline=val_pipeline,
                test_mode=True,
            ),
        ],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KNNMetric', ks=(1, 5, 20))
test_evaluator = val_evaluator
