"""Damaged and hostile pickles: read, or refused by the reader's own error."""

import contextlib
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


def shared(kind):
    """A value of 2 ** 40 parts, in a hundred bytes."""
    value = kind([1])
    for _ in range(40):
        value = kind([value, value])
    return value


TREE = dict(num_joints=20, bones=[(1, 0)], center=0)


@pytest.mark.parametrize(
    'change',
    [
        dict(layout=shared(tuple)),
        dict(layout=dict(TREE, bones=shared(list))),
        dict(layout=dict(TREE, num_joints=10**9)),
        dict(layout=dict(TREE, num_joints=10**400)),
        dict(layout=dict(TREE, coordinates=[1])),
        dict(layout={3: 4, 'name': 5}),
        dict(layout=3),
        dict(prepared=shared(tuple)),
        dict(
            prepared=dict(layout='a', num_frames=1, num_person=1, center=0, shoulders=5)
        ),
        dict(split=shared(tuple)),
        dict(split=dict(train=shared(tuple))),
        dict(classes=shared(list)),
        dict(classes='abc'),
        dict(annotations=shared(list)),
        dict(keypoint=shared(list)),
        dict(keypoint=[[[[1, 2, 3], shared(list)]]]),
        dict(keypoint_score=shared(list)),
        dict(frame_dir=shared(tuple)),
        dict(total_frames=10**5000),
        dict(subject=shared(tuple)),
        dict(keypoint=np.ones((1, 3, 20, 3), complex)),
    ],
)
def test_odd_content_is_named_in_little_time(tmp_path, clock, change):
    content = pickle.loads(pose_pickle(np.random.default_rng(0), 4))
    whole = {*content, 'layout', 'prepared'}.issuperset(change)
    (content if whole else content['annotations'][1]).update(change)
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    clock()
    try:
        messages = [error.message for error in inspect_pickle(path).errors]
    except ValueError as error:
        messages = [str(error)]
    assert bool(messages) == ('subject' not in change)
    # A wrong layout has a line for each of its mistakes.
    lines = 5 if 'layout' in change else 1
    assert all(len(message.splitlines()) <= lines for message in messages)
    with contextlib.suppress(ValueError):
        read_all(path)


def test_damaged_pickles_are_read_or_refused(tmp_path, clock):
    fuzz(tmp_path, clock, protocol=5, seed=1, count=20)


@pytest.mark.slow
@pytest.mark.parametrize('protocol', range(6))
def test_many_damaged_pickles_are_read_or_refused(tmp_path, clock, protocol):
    fuzz(tmp_path, clock, protocol, seed=protocol, count=40)
