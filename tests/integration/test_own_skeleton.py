"""A skeleton of one's own, written as a dict in a config, works everywhere."""

import pickle

import numpy as np
import pytest
import torch
from helpers.paths import ROOT
from mmaction.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner

from hiclr_mmaction.datasets.synthetic import pose_annotations
from hiclr_mmaction.datasets.synthetic.camera import to_coco
from hiclr_mmaction.evaluation.protocol import read_config
from hiclr_mmaction.skeleton import get_layout

# Eleven joints, sides out of order, the trunk in the middle of the list.
SKELETON = """
puppet = dict(
    name='puppet',
    joints=['right hand', 'left hand', 'right shoulder', 'left shoulder', 'head',
            'chest', 'pelvis', 'left foot', 'right foot', 'left knee', 'right knee'],
    bones=[(0, 2), (1, 3), (2, 5), (3, 5), (4, 5), (6, 5), (7, 9), (8, 10), (9, 6),
           (10, 6)],
    mirror_pairs=[(1, 0), (3, 2), (7, 8), (9, 10)],
    center=5,
    shoulders=(2, 3),
    coordinates={coordinates!r},
)
"""
# Where its joints are among NTU's, and (chest and pelvis aside) among COCO's.
OF_NTU = [11, 7, 8, 4, 3, 20, 0, 15, 19, 13, 17]

CONFIG = """
_base_ = {base!r}
{skeleton}
puppet_align = dict(type='SkeletonAlign', layout=puppet, num_frames=12, num_person=1)
levels = [
    [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')],
    [dict(type='SkeletonMirror'), dict(type='SkeletonRotate'),
     dict(type='SkeletonNoise'), dict(type='SkeletonBlur', normalize=True),
     dict(type='SkeletonChannelMask')],
    [dict(type='SkeletonJointMask', ratio=0.2)],
]
bank = [puppet_align, dict(type='PackSkeletonViews', knn_bank=True)]
val = [puppet_align, dict(type='PackSkeletonViews')]
# mmengine puts a dict in the place of a base's string only if it is told so.
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(type='SkeletonDataset', ann_file={file!r}, layout=puppet,
                 split='train', pipeline=val, _delete_=True))
val_dataloader = dict(dataset=dict(datasets=[
    dict(type='SkeletonDataset', ann_file={file!r}, layout=puppet, split='train',
         pipeline=bank, test_mode=True),
    dict(type='SkeletonDataset', ann_file={file!r}, layout=puppet, split='val',
         pipeline=val, test_mode=True),
]))
test_dataloader = test_cfg = test_evaluator = None
model = dict(
    data_preprocessor=dict(layout=dict(**puppet, _delete_=True), stream={stream!r},
                           ada_in=dict(dims='TV'), views=dict(levels=levels)),
    backbone=dict(graph_cfg=dict(layout=dict(**puppet, _delete_=True)), num_stages=3,
                  inflate_stages=[3], down_stages=[3], base_channels=4,
                  out_channels=16),
    neck=dict(in_channels=16),
    head=dict(level_weights=(1.0, 0.5, 0.5)),
    queue_size=8,
    pool=dict(layers=['gcn.1']),
)
train_cfg = dict(max_epochs=1, val_interval=1)
work_dir = {work_dir!r}
experiment_name = {name!r}
"""


def write_config(tmp_path, coordinates='3d', stream='joint'):
    """A config for clips of the puppet, and the clips."""
    content = pose_annotations(
        actions=['wave', 'squat'],
        num_subjects=3,
        num_val_subjects=1,
        clips_per_action=2,
    )
    for clip in content['annotations']:
        joints = clip['keypoint'][:, :, OF_NTU]
        if coordinates == '2d':
            pixels = -1000 * joints[..., :2] / joints[..., 2:] + [960, 540]
            clip['keypoint_score'] = np.random.uniform(0.4, 1, pixels.shape[:-1])
            joints = pixels
        clip['keypoint'] = joints
    file = tmp_path / 'puppet.pkl'
    file.write_bytes(pickle.dumps(content))
    path = tmp_path / 'puppet.py'
    path.write_text(
        CONFIG.format(
            base=str(ROOT / 'configs' / 'hiclr' / 'hiclr_stgcn_nw_ucla.py'),
            skeleton=SKELETON.format(coordinates=coordinates),
            file=str(file),
            stream=stream,
            work_dir=str(tmp_path / 'work'),
            name=f'test_{tmp_path.name}',
        )
    )
    return read_config(path)


@pytest.mark.parametrize(
    ('coordinates', 'stream'), [('3d', 'bone'), ('2d', 'bone_motion')]
)
def test_training_takes_a_step_and_validates(tmp_path, coordinates, stream):
    cfg = write_config(tmp_path, coordinates, stream)
    assert isinstance(cfg.puppet, ConfigDict)
    runner = Runner.from_cfg(cfg)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    assert runner.iter == 2
    after = dict(runner.model.named_parameters())
    assert any(
        not torch.equal(before[k], after[k]) for k in after if k.startswith('backbone')
    )
    assert all(torch.isfinite(v).all() for v in after.values())
    assert 'val/knn/k1' in runner.message_hub.log_scalars
    assert runner.model.backbone.graph.num_node == 11
    # Around the chest, not around joint 0.
    assert runner.model.backbone.graph.center == 5


def test_views_are_of_the_dicts_own_skeleton(tmp_path):
    cfg = write_config(tmp_path, '2d')
    dataset = Runner.build_dataloader(cfg.train_dataloader, seed=0).dataset
    align, _ = dataset.pipeline.transforms
    views = MODELS.build(cfg.model.data_preprocessor).views
    (_, shear), (mirror, *_), _ = views.levels
    clip = align(dataset.get_data_info(0))['keypoint']
    assert clip.shape == (1, 12, 11, 3)
    assert np.abs(clip[..., 5, :2]).max() < 1e-6
    x = torch.from_numpy(clip)[None]
    assert torch.equal(mirror.apply(x)[..., 0, :], x[..., 1, :])
    assert torch.equal(mirror.apply(x)[..., 6, :], x[..., 6, :])
    sheared = shear.apply(x, **shear.draw(1))
    assert torch.equal(sheared[..., 2], x[..., 2])


def test_file_of_another_skeleton_is_named_before_training(tmp_path):
    cfg = write_config(tmp_path)
    content = pickle.loads((tmp_path / 'puppet.pkl').read_bytes())
    for clip in content['annotations']:
        clip['keypoint'] = to_coco(np.random.rand(1, 5, 25, 3) + 1)
    (tmp_path / 'puppet.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match="17 joints, but layout 'puppet' has 11"):
        Runner.build_dataloader(cfg.train_dataloader, seed=0)


def test_config_can_be_written_and_read_again(tmp_path):
    cfg = write_config(tmp_path)
    cfg.dump(tmp_path / 'dumped.py')
    again = Config.fromfile(tmp_path / 'dumped.py')
    assert get_layout(again.puppet) == get_layout(cfg.puppet)
    assert get_layout(again.model.backbone.graph_cfg.layout).center == 5
