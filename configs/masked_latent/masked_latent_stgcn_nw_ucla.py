# Masked latent prediction on NW-UCLA, cross-view; 65 epochs of 31 iterations.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/masked_latent_stgcn_small.py',
    '../_base_/datasets/nw_ucla.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

train_cfg = dict(max_epochs=65, val_interval=5)
