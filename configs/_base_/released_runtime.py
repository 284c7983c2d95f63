# Pre-training by the released recipe.
_base_ = 'default_runtime.py'

custom_hooks = [
    dict(type='PretrainCheckHook'),
    dict(type='KNNProgressHook'),
    # From epoch 10 of NTU-60 on: with the released initialisation, feature_spread starts
    # low.
    dict(type='CollapseWarningHook', begin=3000),
]

# The released code trains classifiers without augmentation.
labelled_augmentation = []
