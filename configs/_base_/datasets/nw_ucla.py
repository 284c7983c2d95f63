# NW-UCLA in MMAction2's pose pickle.
_base_ = 'small_set.py'

layout = 'kinect20'
ann_file = '{{$HICLR_DATA:data}}/nw_ucla_3d.pkl'
num_classes = 10
num_person = 1

align = dict(type='SkeletonAlign', layout=layout, num_frames=32, num_person=num_person)
pipeline = [align, dict(type='PackSkeletonViews')]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]
labelled_augmentation = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2, layout=layout),
    dict(type='SkeletonRotate', main_degrees=20, layout=layout),
    dict(type='SkeletonNoise', layout=layout),
]

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=layout)
train_dataloader = dict(dataset=dict(**dataset, split='xview_train', pipeline=pipeline))
val_dataloader = dict(
    # The k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                **dataset, split='xview_train', pipeline=bank_pipeline, test_mode=True
            ),
            dict(**dataset, split='xview_val', pipeline=pipeline, test_mode=True),
        ],
    ),
)
test_dataloader = dict(**_base_.val_dataloader, **val_dataloader)
