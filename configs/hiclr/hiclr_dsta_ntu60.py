# HiCLR with the transformer of its released code; weight decay and dropout differ too.
_base_ = '../hiclr_stgcn_ntu60.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='DSTANet',
        num_joints=25,
        dropout=0.5,
        init_cfg=_base_.init_cfg,
    )
)
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))

# Linear evaluation and fine-tuning, as released: config/release/transformer_ntu60/
# linear_eval/linear_eval_hiclr_xsub_joint.yaml and finetune/xsub_joint.yaml. Fine-tuning
# augments the clips by crops and shear.
no_dropout = dict(backbone=dict(dropout=0.0))
cropped = dict(
    pipeline=[
        _base_.align,
        *_base_.basic,
        dict(type='FormatGCNInput', num_person=_base_.num_person),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ]
)
finetuning = dict(
    model=no_dropout,
    train_dataloader=dict(batch_size=128, dataset=cropped),
    optim_wrapper=dict(optimizer=dict(weight_decay=5e-4)),
    train_cfg=dict(max_epochs=80),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
        dict(type='MultiStepLR', milestones=[34, 54], gamma=0.1, by_epoch=True),
    ],
)
steps = dict(type='MultiStepLR', milestones=[30, 80], gamma=0.1, by_epoch=True, end=100)
protocols = dict(
    linear=dict(model=no_dropout, param_scheduler=[steps]),
    finetune=finetuning,
    semi=dict(
        finetuning,
        train_dataloader=dict(batch_size=128, dataset=dict(dataset=cropped)),
    ),
    supervised=finetuning,
)
