"""A pre-training of seconds, with protocols of seconds."""

from helpers.paths import ROOT

FAMILY = ROOT / 'configs'
FEW = dict(
    actions=['wave', 'squat', 'push'],
    num_subjects=4,
    num_val_subjects=1,
    clips_per_action=2,
)
ENCODER = dict(num_stages=2, inflate_stages=[2], down_stages=[2], out_channels=8)
COMMON = f"""
few = {FEW}
default_hooks = dict(checkpoint=dict(interval=1))
"""
CONFIG = f"""_base_ = {str(FAMILY / 'hiclr_stgcn_synthetic.py')!r}
{COMMON}
model = dict(queue_size=8, backbone=dict({ENCODER}), neck=dict(in_channels=8))
num_classes = 3
train_dataloader = dict(
    batch_size=6, num_workers=0, persistent_workers=False, dataset=few)
val_dataloader = dict(dataset=dict(datasets=[
    dict(part, **few) for part in _base_.val_dataloader.dataset.datasets]))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=EPOCHS, val_interval=1)
labelled = dict(train_cfg=dict(max_epochs=2, val_interval=1), param_scheduler=None)
protocols = dict(linear=labelled, finetune=labelled, semi=labelled)
"""


def write_config(folder, epochs=2):
    """A pre-training of seconds, with protocols of seconds."""
    config = folder / 'tiny.py'
    config.write_text(CONFIG.replace('EPOCHS', str(epochs)))
    return config
