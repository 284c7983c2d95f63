# PCM3 for a few hundred clips: encoder, projector and ordinary views of the small HiCLR. In
# each quarter of the clip, other connected joints are masked, half of all.
_base_ = 'hiclr_stgcn_small.py'

prompted = [
    _base_.basic,
    [dict(type='SkeletonPartMask', ratio=0.5, segments=4)],
]
model = dict(
    _delete_=True,
    type='PCM3',
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor', layout='kinect20', views=dict(levels=prompted)
    ),
    backbone=_base_.model.backbone,
    neck=_base_.model.neck,
    head=dict(type='PCM3Head', in_channels=64, temperature=0.1),
    # Our programs compute it from the number of clips; see QueueLearner.fill.
    queue_size=None,
    momentum=0.01,
    pool=_base_.model.pool,
)
