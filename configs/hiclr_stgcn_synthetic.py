# The default: synthetic data, no file needed, four to seven minutes on two cores.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/hiclr_stgcn_tiny.py',
    '_base_/datasets/synthetic.py',
    '_base_/schedules/pretrain_small.py',
    '_base_/protocols/small_set.py',
]

train_cfg = dict(max_epochs=40, val_interval=10)
