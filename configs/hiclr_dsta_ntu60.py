# HiCLR around its transformer, as released: weight decay and dropout differ too.
_base_ = 'hiclr_stgcn_ntu60.py'

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
