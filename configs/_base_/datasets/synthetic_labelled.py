# The made-up motions with labels: the clips as they are, no random augmentation.
_base_ = 'synthetic.py'

labelled_pipeline = [
    _base_.align,
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir',)),
]
train_dataloader = dict(drop_last=False, dataset=dict(pipeline=labelled_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.dataset,
        split='val',
        pipeline=labelled_pipeline,
        test_mode=True,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='AccMetric')
test_evaluator = val_evaluator
