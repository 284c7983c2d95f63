# For some hundred clips: key and weakest view from the basic and the normal set, which
# does better there than the basic one alone; the second query is another draw of it.
basic_and_normal = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear'),
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur', normalize=True),
    dict(type='SkeletonChannelMask'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.1)]
growing = [basic_and_normal, [], strong]

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)
val_evaluator = dict(type='KNNMetric', ks=(1, 5, 20))
test_evaluator = val_evaluator
