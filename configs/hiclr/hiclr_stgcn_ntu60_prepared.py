# The released recipe on clips that are stored aligned. To make the file:
# python tools/data/ntu.py FOLDER data/skeleton/ntu60_3d_50.pkl --align 50
_base_ = '../hiclr_stgcn_ntu60.py'

ann_file = '{{$HICLR_DATA:data}}/skeleton/ntu60_3d_50.pkl'

train_dataloader = dict(
    dataset=dict(ann_file=ann_file, prepared=True, pipeline=_base_.pipeline[1:])
)
val_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(part, ann_file=ann_file, prepared=True, pipeline=part.pipeline[1:])
            for part in _base_.val_dataloader.dataset.datasets
        ]
    )
)
test_dataloader = val_dataloader
