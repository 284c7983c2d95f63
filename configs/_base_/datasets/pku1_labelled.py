# PKU-MMD I with labels, as NTU-60.
_base_ = 'ntu60_labelled.py'

ann_file = '{{$HICLR_DATA:data}}/skeleton/pku1_3d.pkl'

dataset = dict(ann_file=ann_file)
train_dataloader = dict(dataset=dict(ann_file=ann_file))
val_dataloader = dict(dataset=dict(ann_file=ann_file))
test_dataloader = val_dataloader
