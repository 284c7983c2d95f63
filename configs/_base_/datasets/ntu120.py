# NTU RGB+D 120, cross-subject; cross-setup is xset_train. Otherwise as NTU-60.
_base_ = 'ntu60.py'

ann_file = '{{$HICLR_DATA:data}}/skeleton/ntu120_3d.pkl'
num_classes = 120

dataset = dict(ann_file=ann_file)
train_dataloader = dict(dataset=dict(ann_file=ann_file))
val_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(part, ann_file=ann_file)
            for part in _base_.val_dataloader.dataset.datasets
        ]
    )
)
test_dataloader = val_dataloader
