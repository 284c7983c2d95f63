# Semi-supervised on the embedded default: fine-tuning on 10 % of each class.
_base_ = 'hiclr_stgcn_synthetic_finetune.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='LabelledFraction',
        dataset=_base_.train_dataloader.dataset,
        fraction=0.1,
        keep_length=True,
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='LabelledClipsHook')]
