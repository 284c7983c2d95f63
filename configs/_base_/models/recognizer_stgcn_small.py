# MMAction2's recognizer around the encoder for some hundred clips, pre-trained.
_base_ = 'hiclr_stgcn_small.py'

model = dict(
    _delete_=True,
    type='RecognizerGCN',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(
        _base_.model.backbone, init_cfg=dict(type='Pretrained', prefix='backbone.')
    ),
    cls_head=dict(type='GCNHead', in_channels=64),
)
