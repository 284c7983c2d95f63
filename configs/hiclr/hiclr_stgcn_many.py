# One encoder for several sets, which _base_/datasets/many_sets.py names: 1,783 clips, 55
# iterations an epoch. With another number n of clips, train for 40 sqrt(n) iterations.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hiclr_stgcn_small.py',
    '../_base_/datasets/many_sets.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# Drawn by a power of their sizes: train_dataloader.sampler.power=0.5 (1: as they are).
model = dict(queue_size=864)
train_cfg = dict(max_epochs=31, val_interval=4)
custom_hooks = [*_base_.custom_hooks, dict(type='SetStatisticsHook')]
