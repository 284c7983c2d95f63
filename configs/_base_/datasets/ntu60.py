# NTU RGB+D 60 in MMAction2's pose pickle.
layout = 'nturgb+d-stgcn'
ann_file = '{{$HICLR_DATA:data}}/skeleton/ntu60_3d.pkl'
num_classes = 60
num_person = 2

align = dict(
    type='SkeletonAlign',
    layout=layout,
    num_frames=50,
    num_person=num_person,
    untracked='released',
)
pipeline = [align, dict(type='PackSkeletonViews')]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=layout)
train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(**dataset, split='xsub_train', pipeline=pipeline),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    # The k-NN finds neighbours of the second split's clips in the first split.
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(**dataset, split='xsub_train', pipeline=bank_pipeline, test_mode=True),
            dict(**dataset, split='xsub_val', pipeline=pipeline, test_mode=True),
        ],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KNNMetric', ks=(1, 5, 20))
test_evaluator = val_evaluator
