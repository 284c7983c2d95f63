"""The configs on real skeletons, where there are any."""

import pickle

import numpy as np
import pytest
import torch
from helpers.configs import config
from mmaction.registry import MODELS
from mmengine.runner import Runner

from hiclr_mmaction.evaluation.data_settings import fill_from_file
from hiclr_mmaction.models.modules import pool_skeleton, present_persons
from hiclr_mmaction.skeleton import hiclr_align


def run_steps(name, data_dir, tmp_path, steps, **options):
    """Train a config for some steps and return its log."""
    cfg = config(name)
    fill_from_file(cfg)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.dataset.indices = steps * cfg.train_dataloader.batch_size
    cfg.train_cfg.max_epochs = 1
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.pop('save_best')
    if cfg.model.get('mining'):
        cfg.model.mining.begin = 0  # or it is never reached
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'test_real_{name}'
    cfg.merge_from_dict(options)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == steps
    return runner


@pytest.mark.parametrize(
    'name',
    [
        'hiclr_stgcn_nw_ucla',
        'hiclr_stgcn_msr',
        'skeletonclr_stgcn_nw_ucla',
        'skeletonclr_stgcn_msr',
    ],
)
def test_small_sets_train_on_the_real_files(name, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv('HICLR_DATA', str(data_dir))
    runner = run_steps(name, data_dir, tmp_path, steps=4)
    losses = runner.message_hub.log_scalars['train/loss'].data[0]
    assert len(losses) == 4
    assert np.isfinite(losses).all()


@pytest.mark.parametrize(
    ('file', 'split', 'sizes'),
    [
        ('nw_ucla_3d.pkl', 'xview', (1020, 464)),
        ('msr_action3d_3d.pkl', 'xsub', (284, 273)),
    ],
)
def test_every_real_clip_can_be_aligned(data_dir, file, split, sizes):
    from hiclr_mmaction.datasets import SkeletonDataset
    from hiclr_mmaction.views import SkeletonAlign

    align = SkeletonAlign(layout='kinect20', num_frames=32, num_person=1)
    for part, size in zip(('train', 'val'), sizes, strict=True):
        dataset = SkeletonDataset(
            str(data_dir / file), [align], split=f'{split}_{part}', layout='kinect20'
        )
        assert len(dataset) == size
        clips = np.stack([dataset[i]['keypoint'] for i in range(size)])
        assert clips.shape == (size, 1, 32, 20, 3)
        assert np.isfinite(clips).all()
        assert np.abs(clips).max() < 3  # metres from the shoulder centre


def read_ntu(path):
    """Coordinates (M, T, 25, 3) of a raw NTU RGB+D file, bodies in order of entry."""
    numbers = iter(path.read_text().split())
    frames = int(next(numbers))
    bodies = {}
    for frame in range(frames):
        for _ in range(int(next(numbers))):
            name = next(numbers)
            for _ in range(9):  # state of the hands, lean, tracking
                next(numbers)
            joints = int(next(numbers))
            rows = [[float(next(numbers)) for _ in range(12)] for _ in range(joints)]
            body = bodies.setdefault(name, np.zeros((frames, joints, 3), np.float32))
            body[frame] = np.array(rows)[:, :3]
    return np.stack(list(bodies.values()))


def test_ntu60_config_runs_on_a_pickle_made_from_raw_files(
    data_dir, tmp_path, monkeypatch
):
    files = sorted((data_dir / 'raw_ntu').glob('*.skeleton'))
    assert len(files) == 8
    annotations = []
    for path in files:
        keypoint = read_ntu(path)
        label = int(path.stem[-3:]) - 1
        annotations.append(
            dict(
                frame_dir=path.stem,
                label=label,
                total_frames=keypoint.shape[1],
                keypoint=keypoint,
            )
        )
    names = [a['frame_dir'] for a in annotations]
    # Two of them again, for no clip is in both splits.
    held_out = [dict(a, frame_dir=f'{a["frame_dir"]}_again') for a in annotations[:2]]
    annotations += held_out
    split = dict(xsub_train=names, xsub_val=[a['frame_dir'] for a in held_out])
    (tmp_path / 'skeleton').mkdir()
    pose_file = tmp_path / 'skeleton' / 'ntu60_3d.pkl'
    pose_file.write_bytes(pickle.dumps(dict(split=split, annotations=annotations)))
    monkeypatch.setenv('HICLR_DATA', str(tmp_path))
    runner = run_steps(
        'hiclr_stgcn_ntu60',
        data_dir,
        tmp_path / 'work',
        steps=2,
        **{'train_dataloader.batch_size': 4, 'train_dataloader.dataset.indices': 8},
    )
    assert torch.isfinite(runner.model.queue.features).all()
    assert int(runner.model.queue.pointer) == 8


def test_skip_absent_runs_real_clips_of_one_person_as_such(data_dir):
    """Without a second person, features are those of a run with one person."""
    clips = [
        hiclr_align(torch.from_numpy(fill_persons(read_ntu(path)))[None], 'nturgb+d')[0]
        for path in sorted((data_dir / 'raw_ntu').glob('*.skeleton'))
    ]
    clips = torch.stack(clips)
    alone = ~present_persons(clips)[:, 1]
    assert 0 < alone.sum() < len(clips)  # the files hold both kinds
    torch.manual_seed(0)
    graph_cfg = dict(layout='nturgb+d-stgcn', mode='stgcn_spatial')
    backbone = dict(type='HiCLRSTGCN', graph_cfg=graph_cfg)
    model = MODELS.build(dict(backbone, skip_absent=True)).train()
    single = clips[alone]
    features = pool_skeleton(model(single))
    expected = pool_skeleton(model(single[:, :1]))
    torch.testing.assert_close(features, expected)
    # Nor does a neighbour of two persons matter, once batch norm is not by the batch.
    together = pool_skeleton(model.eval()(clips))[alone]
    torch.testing.assert_close(together, pool_skeleton(model(single[:, :1])))
    model.skip_absent = False
    assert not torch.allclose(pool_skeleton(model(clips))[alone], together)


def fill_persons(keypoint):
    """The first two persons; zeros where there is only one."""
    persons = np.zeros((2, *keypoint.shape[1:]), np.float32)
    persons[: len(keypoint)] = keypoint[:2]
    return persons
