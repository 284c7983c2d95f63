# Several sets with any 3-D layouts, frame rates and lengths, mapped to one layout. All sets
# are drawn equally often. Protocols evaluate the last set.
_base_ = 'small_set.py'

layout = 'kinect20'
num_person = 1
folder = '{{$HICLR_DATA:data}}'
# Name: file, its layout, and the protocol of its splits.
sets = dict(
    ucla=('nw_ucla_3d.pkl', 'kinect20', 'xview'),
    utkinect=('utkinect_3d.pkl', 'kinect20', 'xsub'),
    florence=('florence3d_3d.pkl', 'openni15', 'xsub'),
    kard=('kard_3d.pkl', 'openni15', 'xsub'),
    msr=('msr_action3d_3d.pkl', 'kinect20', 'xsub'),
)
left_out = '{{$HICLR_LEAVE_OUT:none}}'
sets = {name: found for name, found in sets.items() if name != left_out}
num_classes = 20  # of MSR-Action3D

align = dict(type='SkeletonAlign', layout=layout, num_frames=32, num_person=num_person)
labelled_augmentation = [
    dict(type='SkeletonTemporalCrop'),
    dict(type='SkeletonShear', amplitude=0.2, layout=layout),
    dict(type='SkeletonRotate', main_degrees=20, layout=layout),
    dict(type='SkeletonNoise', layout=layout),
]
parts = {
    f'{name}_{part}': dict(
        type='SkeletonDataset',
        ann_file=f'{folder}/{file}',
        layout=source,
        split=f'{protocol}_{part}',
        pipeline=[
            dict(type='SkeletonToLayout', source=source, layout=layout),
            align,
            dict(type='PackSkeletonViews', set_name=name, knn_bank=part == 'train'),
        ],
    )
    for name, (file, source, protocol) in sets.items()
    for part in ('train', 'val')
}
# Each set has its own classes.
concat = dict(type='ConcatDataset', ignore_keys=['classes'])
train_dataloader = dict(
    sampler=dict(_delete_=True, type='BalancedSampler', power=0.0),
    dataset=dict(**concat, datasets=[parts[f'{name}_train'] for name in sets]),
)
val_dataloader = dict(
    # In each set, the k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(
        **concat, datasets=[dict(part, test_mode=True) for part in parts.values()]
    )
)
test_dataloader = dict(**_base_.val_dataloader, **val_dataloader)
