# HiCLR around MS-G3D of MMAction2's projects; PYTHONPATH must name that folder:
#   PYTHONPATH=mmaction2/projects python tools/train.py configs/hiclr/hiclr_msg3d_ntu60.py
_base_ = '../hiclr_stgcn_ntu60.py'

custom_imports = dict(imports=['hiclr_mmaction', 'msg3d.models'])
model = dict(
    backbone=dict(
        _delete_=True,
        type='MSG3D',
        graph_cfg=dict(layout='nturgb+d', mode='binary_adj'),
        # MS-G3D's own configs have 96; this width keeps the projector unchanged.
        base_channels=64,
    )
)
