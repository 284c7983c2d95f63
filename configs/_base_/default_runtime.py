custom_imports = dict(imports=['hiclr_mmaction'], allow_failed_imports=False)
default_scope = 'mmaction'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # The best checkpoint by k-NN is kept next to the last one; results are of the last.
    # With ResumableTrainLoop a run resumes exactly, and SIGTERM saves before it ends.
    checkpoint=dict(
        type='ResumableCheckpointHook',
        interval=10,
        max_keep_ckpts=3,
        save_best='knn/k1',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
    # action='skip' skips such a step instead.
    non_finite_loss=dict(type='NonFiniteLossHook', action='stop'),
)
custom_hooks = [
    dict(type='PretrainCheckHook'),
    dict(type='KNNProgressHook'),
    dict(type='CollapseWarningHook'),
]

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# Each rank draws different views.
randomness = dict(seed=0, diff_rank_seed=True)

log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
