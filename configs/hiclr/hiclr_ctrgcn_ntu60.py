# HiCLR around CTR-GCN of MMAction2's projects; PYTHONPATH must name that folder:
#   PYTHONPATH=mmaction2/projects python tools/train.py configs/hiclr/hiclr_ctrgcn_ntu60.py
_base_ = '../hiclr_stgcn_ntu60.py'

custom_imports = dict(imports=['hiclr_mmaction', 'ctrgcn.models'])
model = dict(
    backbone=dict(
        _delete_=True,
        type='CTRGCN',
        graph_cfg=dict(layout='nturgb+d', mode='spatial'),
    )
)
