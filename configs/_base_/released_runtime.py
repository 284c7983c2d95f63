# Pre-training by the released recipe.
_base_ = 'default_runtime.py'

custom_hooks = [
    dict(type='PretrainCheckHook'),
    dict(type='KNNProgressHook'),
    # From epoch 10 of NTU-60: the released initialisation spreads little at first.
    dict(type='CollapseWarningHook', begin=3000),
]

# The released code trains with labels on the clips as they are.
labelled_augmentation = []
