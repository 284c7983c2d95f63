# Your own data (datasets/custom.py), of a few hundred clips, for any model.
_base_ = [
    'default_runtime.py',
    'datasets/custom.py',
    'schedules/pretrain_small.py',
    'protocols/small_set.py',
]

# Parts of the model. `_delete_`: the layout may be a dict.
custom_preprocessor = dict(
    _delete_=True, type='SkeletonViewPreprocessor', layout=_base_.layout
)
custom_backbone = dict(
    graph_cfg=dict(_delete_=True, layout=_base_.layout, mode='stgcn_spatial')
)
