# Several sets with any 3-D layouts, frame rates and lengths, mapped to one layout. All sets
# are drawn equally often. Protocols evaluate the last set.
_base_ = 'small_set.py'

layout = 'kinect20'
num_person = 1
# Files, or dicts of ann_file and what the file does not say, or not clearly: layout, split
# (xsub: xsub_train and xsub_val) and name.
sets = [
    dict(name='ucla', ann_file='nw_ucla_3d.pkl', layout='kinect20', split='xview'),
    dict(name='utkinect', ann_file='utkinect_3d.pkl', layout='kinect20', split='xsub'),
    dict(
        name='florence', ann_file='florence3d_3d.pkl', layout='openni15', split='xsub'
    ),
    dict(name='kard', ann_file='kard_3d.pkl', layout='openni15', split='xsub'),
    dict(name='msr', ann_file='msr_action3d_3d.pkl', layout='kinect20', split='xsub'),
]
folder = '{{$HICLR_DATA:data}}'
left_out = '{{$HICLR_LEAVE_OUT:none}}'
sets = [
    dict(one, ann_file=f'{folder}/{one["ann_file"]}')
    for one in sets
    if one['name'] != left_out
]
num_classes = 20  # of MSR-Action3D

align = dict(type='SkeletonAlign', layout=layout, num_frames=32, num_person=num_person)
labelled_augmentation = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2, layout=layout),
    dict(type='SkeletonRotate', main_degrees=20, layout=layout),
    dict(type='SkeletonNoise', layout=layout),
]
to_layout = dict(type='SkeletonToLayout', layout=layout)
# With `sets`, a part stands for one of each set, or for the last set's.
train, val = (
    dict(
        type='SkeletonDataset',
        sets=sets,
        split=split,
        pipeline=[
            to_layout,
            align,
            dict(type='PackSkeletonViews', knn_bank=split == 'train'),
        ],
    )
    for split in ('train', 'val')
)
# Each set has its own classes.
concat = dict(type='ConcatDataset', ignore_keys=['classes'])
train_dataloader = dict(
    sampler=dict(_delete_=True, type='BalancedSampler', power=0.0),
    dataset=dict(**concat, datasets=[train]),
)
val_dataloader = dict(
    # In each set, the k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(**concat, datasets=[dict(p, test_mode=True) for p in (train, val)])
)
test_dataloader = dict(**_base_.val_dataloader, **val_dataloader)
