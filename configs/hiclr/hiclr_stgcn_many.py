# One encoder for several sets, listed in _base_/datasets/many_sets.py: 1,783 clips, 55
# iterations per epoch. For other `sets` leave queue_size, max_epochs and val_interval None:
# then they follow from the number of clips.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hiclr_stgcn_small.py',
    '../_base_/datasets/many_sets.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# To draw larger sets more often: train_dataloader.sampler.power=0.5 (1: in proportion).
model = dict(queue_size=864)
train_cfg = dict(max_epochs=31, val_interval=4)
custom_hooks = [*_base_.custom_hooks, dict(type='SetStatisticsHook')]
