# NTU RGB+D 60 as COCO keypoints in the images (x, y, score), in MMAction2's 2-D pose
# pickle; views as released, each operation as it is defined for an image.
_base_ = 'ntu60.py'

layout = 'coco'
ann_file = '{{$HICLR_DATA:data}}/skeleton/ntu60_2d.pkl'

align = dict(type='SkeletonAlign', layout=layout, num_frames=50, num_person=2)
basic = [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')]
normal = [
    dict(type='SkeletonMirror'),
    dict(type='SkeletonRotate'),
    dict(type='SkeletonNoise'),
    dict(type='SkeletonBlur'),
    dict(type='SkeletonChannelMask'),
]
strong = [dict(type='SkeletonJointMask', ratio=0.1)]
train_pipeline = [
    align,
    dict(
        type='GrowingAugmentation',
        levels=[basic, normal, strong],
        layout=layout,
    ),
    dict(type='PackSkeletonViews'),
]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]
val_pipeline = [align, dict(type='PackSkeletonViews')]

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=layout)
train_dataloader = dict(
    dataset=dict(ann_file=ann_file, layout=layout, pipeline=train_pipeline)
)
val_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(**dataset, split='xsub_train', pipeline=bank_pipeline, test_mode=True),
            dict(**dataset, split='xsub_val', pipeline=val_pipeline, test_mode=True),
        ]
    )
)
test_dataloader = val_dataloader
