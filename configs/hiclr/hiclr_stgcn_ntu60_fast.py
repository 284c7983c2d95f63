# The experiment of hiclr_stgcn_ntu60.py, faster. docs/performance.md lists the switches,
# their gains and how to turn each off by --cfg-options.
_base_ = '../hiclr_stgcn_ntu60.py'

model = dict(data_preprocessor=dict(non_blocking=True))
train_dataloader = dict(
    # The clips stay on the device, or in shared memory.
    _delete_=True,
    batch_size=128,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='resident_collate'),
    dataset=dict(
        type='ResidentClips',
        dataset=dict(
            **_base_.dataset,
            split='xsub_train',
            pipeline=_base_.pipeline,
        ),
    ),
)
optim_wrapper = dict(
    type='BFloat16OptimWrapper', on_cpu=False, optimizer=dict(fused=True)
)
default_hooks = dict(
    # Losses are fetched and checked only as often as they are logged.
    runtime_info=dict(type='IntervalInfoHook', interval=20),
    non_finite_loss=dict(interval=20),
)
custom_hooks = [*_base_.custom_hooks, dict(type='AccelerationHook')]
