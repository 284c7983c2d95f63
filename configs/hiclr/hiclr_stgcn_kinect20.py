# The encoder of the zoo: HiCLR on synthetic motions only, for clips of any 3-D layout.
# 1,792 clips; about 8 minutes on one core.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hiclr_stgcn_small.py',
    '../_base_/datasets/synthetic_kinect20.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

model = dict(queue_size=896)
# 56 iterations each.
train_cfg = dict(max_epochs=20, val_interval=20)
