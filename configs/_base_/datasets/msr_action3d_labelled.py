# MSR-Action3D with labels, as NW-UCLA.
_base_ = 'nw_ucla_labelled.py'

ann_file = '{{$HICLR_DATA:data}}/msr_action3d_3d.pkl'

dataset = dict(ann_file=ann_file)
train_dataloader = dict(dataset=dict(ann_file=ann_file, split='xsub_train'))
val_dataloader = dict(dataset=dict(ann_file=ann_file, split='xsub_val'))
test_dataloader = val_dataloader
