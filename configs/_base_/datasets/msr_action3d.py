# MSR-Action3D in MMAction2's pose pickle; same skeleton as NW-UCLA.
_base_ = 'nw_ucla.py'

ann_file = '{{$HICLR_DATA:data}}/msr_action3d_3d.pkl'
num_classes = 20

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=_base_.layout)
train_dataloader = dict(dataset=dict(ann_file=ann_file, split='xsub_train'))
evaluated = dict(
    datasets=[
        dict(
            **dataset,
            split='xsub_train',
            pipeline=_base_.bank_pipeline,
            test_mode=True,
        ),
        dict(**dataset, split='xsub_val', pipeline=_base_.pipeline, test_mode=True),
    ]
)
val_dataloader = dict(dataset=evaluated)
test_dataloader = dict(dataset=evaluated)
