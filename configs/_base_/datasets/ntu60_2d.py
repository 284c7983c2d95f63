# NTU RGB+D 60 as COCO keypoints (x, y, score), in MMAction2's 2-D pose pickle.
_base_ = 'ntu60.py'

layout = 'coco'
ann_file = '{{$HICLR_DATA:data}}/skeleton/ntu60_2d.pkl'

align = dict(type='SkeletonAlign', layout=layout, num_frames=50, num_person=2)
pipeline = [align, dict(type='PackSkeletonViews')]
bank_pipeline = [align, dict(type='PackSkeletonViews', knn_bank=True)]

dataset = dict(type='SkeletonDataset', ann_file=ann_file, layout=layout)
train_dataloader = dict(
    dataset=dict(ann_file=ann_file, layout=layout, pipeline=pipeline)
)
val_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(**dataset, split='xsub_train', pipeline=bank_pipeline, test_mode=True),
            dict(**dataset, split='xsub_val', pipeline=pipeline, test_mode=True),
        ]
    )
)
test_dataloader = val_dataloader
