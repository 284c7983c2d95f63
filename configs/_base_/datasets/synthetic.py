# Synthetic motions of 12 actions; needs no data file. In actions of two persons only the
# first person is used, which halves the time of an iteration.
_base_ = 'small_set.py'

layout = 'nturgb+d'
num_classes = 12
num_person = 1

align = dict(type='SkeletonAlign', layout=layout, num_frames=24, num_person=num_person)
pipeline = [align, dict(type='PackSkeletonViews')]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]
labelled_augmentation = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2, layout=layout),
    dict(type='SkeletonRotate', main_degrees=20, layout=layout),
    dict(type='SkeletonNoise', layout=layout),
]

dataset = dict(type='SyntheticSkeletons')
train_dataloader = dict(
    batch_size=24,
    num_workers=1,
    dataset=dict(**dataset, split='train', pipeline=pipeline),
)
val_dataloader = dict(
    # The k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(**dataset, split='train', pipeline=bank_pipeline, test_mode=True),
            dict(**dataset, split='val', pipeline=pipeline, test_mode=True),
        ],
    ),
)
test_dataloader = dict(**_base_.val_dataloader, **val_dataloader)
