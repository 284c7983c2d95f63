# MSR-Action3D in MMAction2's pose pickle; views as for NW-UCLA, same skeleton.
_base_ = 'nw_ucla.py'

ann_file = '{{$HICLR_DATA:data}}/msr_action3d_3d.pkl'

dataset = dict(ann_file=ann_file)
train_dataloader = dict(dataset=dict(ann_file=ann_file, split='xsub_train'))
val_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='SkeletonDataset',
                ann_file=ann_file,
                layout=_base_.layout,
                split=split,
                pipeline=pipeline,
                test_mode=True,
            )
            for split, pipeline in [
                ('xsub_train', _base_.bank_pipeline),
                ('xsub_val', _base_.val_pipeline),
            ]
        ]
    )
)
test_dataloader = val_dataloader
