# HiCLR around 2s-AGCN's successor of MMAction2.
_base_ = '../hiclr_stgcn_ntu60.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='AAGCN',
        graph_cfg=dict(layout='nturgb+d', mode='spatial'),
    )
)
