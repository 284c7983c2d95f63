# Synthetic motions with the joints of Kinect v1: 12 hand-written actions and 100 random
# ones, each performed by 16 persons. Needs no data file.
_base_ = 'small_set.py'

layout = 'kinect20'
num_classes = 42
num_person = 1

align = [
    dict(type='SkeletonToLayout', source='nturgb+d', layout=layout),
    dict(type='SkeletonAlign', layout=layout, num_frames=32, num_person=num_person),
]
pipeline = [*align, dict(type='PackSkeletonViews')]
labelled_augmentation = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2, layout=layout),
    dict(type='SkeletonRotate', main_degrees=20, layout=layout),
    dict(type='SkeletonNoise', layout=layout),
]
bank_pipeline = [*align, dict(type='PackSkeletonViews', knn_bank=True)]

trained = dict(
    type='SyntheticSkeletons',
    improvised=100,
    num_subjects=17,
    num_val_subjects=1,
    clips_per_action=1,
)
# Other persons, and other random actions.
evaluated = dict(trained, improvised=30, num_subjects=9, num_val_subjects=3, seed=1)
train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='resident_collate'),
    dataset=dict(
        type='ResidentClips',
        dataset=dict(**trained, split='train', pipeline=pipeline),
    ),
)
val_dataloader = dict(
    # The k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(**evaluated, split='train', pipeline=bank_pipeline, test_mode=True),
            dict(**evaluated, split='val', pipeline=pipeline, test_mode=True),
        ],
    ),
)
test_dataloader = dict(**_base_.val_dataloader, **val_dataloader)
