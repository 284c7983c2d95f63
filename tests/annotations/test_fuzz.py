"""Damaged and hostile pickles: read, or refused by the reader's own error."""

import pickle
import random
import signal

import numpy as np
import pytest

from hiclr_mmaction.annotations.inspection import inspect_pickle
from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.datasets import SkeletonDataset
from hiclr_mmaction.views import SkeletonAlign

ALIGN = dict(layout='kinect20', num_frames=4, num_person=2)


def pose_pickle(rng, protocol):
    clips = [
        dict(
            frame_dir=f'c{i}',
            label=[i, np.int64(i), np.array(i)][i % 3],
            total_frames=3,
            keypoint=rng.standard_normal((1, 3, 20, 3)).astype(('f4', '>f8')[i % 2]),
            keypoint_score=np.ones((1, 3, 20), 'f2'),
            subject=i,
        )
        for i in range(4)
    ]
    split = dict(train=['c0', 'c1', 'c2'], val=('c3',))
    content = dict(split=split, annotations=clips, classes=['a', 'b', 'c', 'd'])
    return pickle.dumps(content, protocol)


def mutate(data, draw):
    """Change some bytes, cut, repeat or exchange pieces."""
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 5])):
        i = draw.randrange(len(data))
        j = i + draw.choice([1, 2, 4, 8, 40])
        match draw.randrange(6):
            case 0:
                data[i] = draw.randrange(256)
            case 1:
                data[i] = draw.choice(
                    b'.0(IKMGJNRtbsue]}lqhrjcV\x85\x86\x87\x8f\x90\x94'
                )
            case 2:
                del data[i:j]
            case 3:
                data[i:i] = data[i:j]
            case 4:
                k = draw.randrange(len(data))
                data[i:j] = data[k : k + j - i]
            case 5:
                data[i:j] = draw.choice([b'\x00', b'\xff']) * (j - i)
        if not data:
            data = bytearray(b'.')
    return bytes(data)


@pytest.fixture
def clock():
    """Ends what takes longer than 20 s."""
    yield lambda: signal.alarm(20)
    signal.alarm(0)


def read_all(path):
    """Whatever reads a pose pickle; raises ValueError alone. Counts what was read."""
    load_pickle(path)
    inspect_pickle(path, 'kinect20')
    aligned = 0
    for split in ('train', None):
        dataset = SkeletonDataset(str(path), [], split, layout='kinect20')
        for i in range(len(dataset)):
            sample = SkeletonAlign(**ALIGN)(dataset.get_data_info(i))
            assert np.isfinite(sample['keypoint']).all()
            assert sample['keypoint'].shape == (2, 4, 20, 3)
            assert type(sample.get('label', 0)) is int
            aligned += 1
    return aligned


def fuzz(tmp_path, clock, protocol, seed, count):
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    good = pose_pickle(rng, protocol)
    path = tmp_path / 'poses.pkl'
    path.write_bytes(good)
    assert read_all(path) == 7
    read, messages = 0, []
    for _ in range(count):
        path.write_bytes(mutate(good, draw))
        clock()
        try:
            read_all(path)
            read += 1
        except ValueError as error:
            messages.append(str(error))
    assert read > 0
    assert len(messages) > count // 4
    assert not [text for text in messages if '\n' in text or len(text) > 1200]


@pytest.mark.parametrize('protocol', [0, 2, 5])
def test_damaged_pickles_are_read_or_refused(tmp_path, clock, protocol):
    fuzz(tmp_path, clock, protocol, seed=1, count=40)


@pytest.mark.slow
@pytest.mark.parametrize('protocol', range(6))
def test_many_damaged_pickles_are_read_or_refused(tmp_path, clock, protocol):
    fuzz(tmp_path, clock, protocol, seed=protocol, count=300)
