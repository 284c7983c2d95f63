# NW-UCLA in MMAction2's pose pickle; key and weakest view from the basic and the
# normal set, which does better on small sets than the basic one alone.
layout = 'kinect20'
ann_file = '{{$HICLR_DATA:data}}/nw_ucla_3d.pkl'

align = dict(type='SkeletonAlign', layout=layout, num_frames=32, num_person=1)
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

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=layout)
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(**dataset, split='xview_train', pipeline=train_pipeline),
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
                **dataset, split='xview_train', pipeline=bank_pipeline, test_mode=True
            ),
            dict(**dataset, split='xview_val', pipeline=val_pipeline, test_mode=True),
        ],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KNNMetric', ks=(1, 5, 20))
test_evaluator = val_evaluator
