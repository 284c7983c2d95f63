# Semi-supervised: fine-tuning on 10 % of the clips of each class. As in the released code
# (feeder/ntu_feeder.py of the same commit), an epoch is as long as with all clips; the
# paper trains for 42 to 60 epochs.
_base_ = 'finetune.py'

fraction = 0.1
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='LabelledFraction',
        dataset=_base_.train_dataloader.dataset,
        fraction=fraction,
        keep_length=True,
    )
)
train_cfg = dict(max_epochs=60)
custom_hooks = [*_base_.custom_hooks, dict(type='LabelledClipsHook')]
