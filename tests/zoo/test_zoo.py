"""Encoders in the package: whole, known, and the same without MMAction2."""

import hashlib
import pickle
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.configs import save_pretrained
from helpers.process import run_python
from safetensors.torch import load_file

from hiclr_mmaction.apis import SkeletonEncoder, extract_features, init_encoder
from hiclr_mmaction.checkpoint import export_checkpoint
from hiclr_mmaction.datasets.synthetic import make_clip
from hiclr_mmaction.skeleton.mapping import map_joints
from hiclr_mmaction.zoo import (
    DEFAULT,
    ZOO,
    ZooEncoder,
    example_clips,
    read_weights,
    weights_path,
)

NTU = [make_clip(action, 1, 0)[:1] for action in ('wave', 'squat', 'kick')]
POOL = dict(time=2, joints=True)


def in_layout(layout):
    return [map_joints(torch.from_numpy(c), 'nturgb+d', layout).numpy() for c in NTU]


@pytest.fixture(scope='module')
def clips():
    return in_layout(ZooEncoder.of(DEFAULT).layout.name)


@pytest.mark.parametrize('name', ZOO)
class TestEncodersOfTheZoo:
    def test_file_is_small_and_its_digest_stands_in_its_card(self, name):
        path = weights_path(name)
        assert path.stat().st_size <= 4e6
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        card = path.with_suffix('.md').read_text(encoding='utf-8')
        assert ZOO[name] == digest
        assert digest in card
        for heading in ('Data', 'Recipe', 'Measured', 'Limits', 'Licence'):
            assert f'\n## {heading}\n' in card

    def test_weights_are_float16_and_the_graph_is_exact(self, name):
        weights, meta = read_weights(weights_path(name))
        assert weights['backbone.gcn.3.tcn.conv.weight'].dtype == torch.float16
        assert weights['backbone.gcn.3.gcn.A'].dtype == torch.float32
        assert meta['preparation']['pipeline']

    def test_mmaction2_computes_the_same_features(self, name):
        plain, stock = init_encoder(name), init_encoder(weights_path(name))
        assert isinstance(plain, ZooEncoder)
        assert isinstance(stock, SkeletonEncoder)
        clips = in_layout(plain.layout.name)
        for pool in ({}, POOL):
            plain.pool = stock.pool = pool
            found, expected = (extract_features(e, clips) for e in (plain, stock))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        assert not np.allclose(found[0], found[1], atol=1e-2)


def test_features_of_example_clips_tell_actions_apart():
    clips = example_clips()
    assert {clip.shape[2:] for clip in clips.values()} == {(20, 3)}
    # Of each action the same person; once more, a little noisier.
    rng = np.random.default_rng(0)
    again = {
        name: clip + rng.normal(0, 0.01, clip.shape) for name, clip in clips.items()
    }
    found = [extract_features(init_encoder(DEFAULT), c) for c in (clips, again)]
    first, second = (np.stack(list(f.values())) for f in found)
    assert list(found[0]) == list(clips)
    assert np.array_equal((second @ first.T).argmax(1), np.arange(len(clips)))


@pytest.mark.parametrize('adaptive', ['importance', 'offset', 'init', None])
def test_plain_stgcn_is_that_of_mmaction2(tmp_path, adaptive):
    options = {
        'model.backbone.gcn_adaptive': adaptive,
        'model.backbone.down_stages': [2, 3],
        'model.data_preprocessor.stream': 'bone',
    }
    source = save_pretrained(tmp_path / 'run.pth', **options)
    export_checkpoint(source, tmp_path / 'out.safetensors')
    plain = ZooEncoder(*read_weights(tmp_path / 'out.safetensors'))
    expected = extract_features(init_encoder(tmp_path / 'out.safetensors'), NTU)
    np.testing.assert_allclose(extract_features(plain, NTU), expected, atol=1e-5)


def test_weights_are_read_as_safetensors_reads_them(tmp_path):
    source = save_pretrained(tmp_path / 'run.pth')
    export_checkpoint(source, tmp_path / 'out.safetensors', half=True)
    found, meta = read_weights(tmp_path / 'out.safetensors')
    expected = load_file(tmp_path / 'out.safetensors')
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[k], v) for k, v in expected.items())
    assert all(found[k].dtype == v.dtype for k, v in expected.items())
    assert meta['backbone']['type'] in ('STGCN', 'HiCLRSTGCN')


@pytest.mark.parametrize('layout', ['nturgb+d', 'openni15', 'azure_kinect', 'smpl'])
def test_clips_of_other_layouts_are_mapped(layout, clips):
    encoder = init_encoder(DEFAULT)
    theirs = in_layout(layout)
    mapped = [
        map_joints(torch.from_numpy(c), layout, encoder.layout).numpy() for c in theirs
    ]
    expected = extract_features(encoder, mapped)
    found = extract_features(encoder, theirs, layout=layout)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # A clip may say it itself.
    by_name = {'a': dict(keypoint=theirs[0], layout=layout), 'b': clips[1]}
    named = extract_features(encoder, by_name)
    np.testing.assert_allclose(named['a'], expected[0], atol=1e-5)


def test_a_layout_of_ones_own_is_mapped_by_its_names(clips):
    encoder = init_encoder(DEFAULT)
    order = list(reversed(range(encoder.layout.num_joints)))
    names = encoder.layout.joints
    own = dict(joints=[names[v] for v in order], center=0)
    own['bones'] = [[order.index(a), order.index(b)] for a, b in encoder.layout.bones]
    found = extract_features(encoder, [c[:, :, order] for c in clips], layout=own)
    np.testing.assert_allclose(found, extract_features(encoder, clips), atol=1e-5)


class TestWhatCannotBeUsed:
    def test_skeletons_in_an_image(self):
        clip = np.ones((1, 9, 17, 3), np.float32)
        with pytest.raises(ValueError, match='2-D skeleton has no depth'):
            extract_features(init_encoder(DEFAULT), clip, layout='coco')

    def test_clips_of_another_layout_that_is_not_named(self):
        with pytest.raises(ValueError, match=r'clips\[0\].*25 joints'):
            extract_features(init_encoder(DEFAULT), NTU)

    def test_a_name_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=f'not in the zoo, .*has {DEFAULT}'):
            init_encoder('resnet50')
        with pytest.raises(FileNotFoundError, match=f'did you mean {DEFAULT}\\?'):
            init_encoder(DEFAULT[:-1])
        with pytest.raises(ValueError, match=f'not in the zoo, .*has {DEFAULT}'):
            weights_path('resnet50')
        for missing in ('nowhere.pth', tmp_path / 'nowhere', tmp_path):
            with pytest.raises(FileNotFoundError, match='checkpoint not found: '):
                init_encoder(missing)

    def test_a_damaged_file(self, tmp_path):
        content = bytearray(weights_path().read_bytes())
        content[-9] ^= 1
        (tmp_path / 'a.safetensors').write_bytes(content)
        with pytest.raises(ValueError, match='is damaged: its SHA-256'):
            read_weights(tmp_path / 'a.safetensors', ZOO[DEFAULT])
        (tmp_path / 'b.safetensors').write_bytes(content[:100])
        with pytest.raises(ValueError, match='no safetensors file'):
            read_weights(tmp_path / 'b.safetensors')

    def test_parts_that_only_mmaction2_has(self, tmp_path):
        weights, meta = read_weights(weights_path())
        meta = dict(meta, backbone=dict(meta['backbone'], gcn_with_res=True))
        with pytest.raises(ValueError, match='STGCN with gcn_with_res needs MMAction2'):
            ZooEncoder(weights, meta)
        weights, meta = read_weights(weights_path())
        meta['preparation']['pipeline'].append(dict(type='SkeletonStream'))
        with pytest.raises(ValueError, match='with SkeletonStream, which needs MMAct'):
            ZooEncoder(weights, meta)

    def test_pool_out_of_range(self):
        with pytest.raises(ValueError, match='pool.time=0'):
            init_encoder(DEFAULT, pool=dict(time=0))
        with pytest.raises(ValueError, match='pool.segments is unknown; pool has time'):
            init_encoder(DEFAULT, pool=dict(segments=4))


def test_the_content_of_a_pose_pickle_says_its_layout(clips):
    annotations = [dict(frame_dir=f'c{i}', keypoint=c) for i, c in enumerate(NTU)]
    content = dict(split={}, annotations=annotations, layout='nturgb+d')
    found = extract_features(init_encoder(DEFAULT), content)
    np.testing.assert_allclose(
        found, extract_features(init_encoder(DEFAULT), clips), atol=1e-5
    )


class TestWarnings:
    def test_none_for_metres_with_y_up(self, clips, recwarn):
        extract_features(init_encoder(DEFAULT), clips)
        assert not recwarn

    def test_another_unit(self, clips):
        with pytest.warns(UserWarning, match=r'persons are 1[.\d]*e\+03 tall.*0\.001'):
            extract_features(init_encoder(DEFAULT), [1000 * c for c in clips])

    def test_another_up_axis(self, clips):
        with pytest.warns(UserWarning, match='heads are at z of the feet'):
            extract_features(init_encoder(DEFAULT), [c[..., [0, 2, 1]] for c in clips])

    def test_clips_that_are_aligned_already(self, clips):
        content = dict(annotations=[dict(frame_dir='a', keypoint=clips[0])])
        content['prepared'] = dict(layout='kinect20', num_frames=50)
        with pytest.warns(UserWarning, match="clip 'a' is aligned already.*--align"):
            extract_features(init_encoder(DEFAULT), content)


BVH = """HIERARCHY
ROOT Hips
{
OFFSET 0 0 0
CHANNELS 3 Xposition Yposition Zposition
End Site
{
OFFSET 0 1 0
}
}
MOTION
Frames: 1
Frame Time: 0.03
0 0 0
"""
ALONE = """
import sys
for name in ('mmengine', 'mmcv', 'mmaction', 'safetensors', 'scipy', 'sklearn', 'rich',
             'matplotlib', 'cv2', 'PIL', 'yaml', 'filelock', 'pandas'):
    sys.modules[name] = None  # as if it were not installed
import numpy as np
from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.zoo import example_clips
encoder = init_encoder('NAME', pool=dict(time=2, joints=True))
extract_features(encoder, example_clips())
clips = dict(np.load('clips.npz'))
np.savez('features.npz', **extract_features(encoder, clips, layout='nturgb+d'))
np.savez('hub.npz', **extract_features(init_encoder('hub'), clips))
try:
    init_encoder('run.pth')
except ImportError as error:
    print(error)
sys.argv = ['features', 'poses.pkl', 'one.npy', 'one.csv', 'out.npz']
sys.argv += ['--layout', 'nturgb+d']
import runpy
runpy.run_module('hiclr_mmaction.cli.features', run_name='__main__')
sys.argv[1:5] = ['one.bvh', 'none.npz']
runpy.run_module('hiclr_mmaction.cli.features', run_name='__main__')
"""


def test_torch_and_numpy_are_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez('clips.npz', **{f'c{i}': clip for i, clip in enumerate(NTU)})
    poses = dict(annotations=[dict(frame_dir='a', label=3, keypoint=NTU[0])], split={})
    Path('poses.pkl').write_bytes(pickle.dumps(poses))
    np.save('one.npy', NTU[0][0])
    rows = [
        f'{t},{v},{x},{y},{z}\n'
        for t, frame in enumerate(NTU[0][0])
        for v, (x, y, z) in enumerate(frame)
    ]
    Path('one.csv').write_text(''.join(['frame,joint,x,y,z\n', *rows]))
    Path('one.bvh').write_text(BVH)
    export_checkpoint(save_pretrained(tmp_path / 'run.pth'), 'hub')
    done = run_python(ALONE.replace('NAME', DEFAULT))
    assert done.returncode == 1
    assert 'pip install scipy' in done.stderr
    assert 'is not installed: pip install' in done.stdout
    expected = extract_features(
        init_encoder(DEFAULT, pool=POOL), NTU, layout='nturgb+d'
    )
    with np.load('features.npz') as found:
        for i, feature in enumerate(expected):
            np.testing.assert_allclose(found[f'c{i}'], feature, atol=1e-5)
    expected = extract_features(init_encoder('hub'), NTU)
    with np.load('hub.npz') as found:
        for i, feature in enumerate(expected):
            np.testing.assert_allclose(found[f'c{i}'], feature, atol=1e-5)
    with np.load('out.npz') as found:
        assert found['names'].tolist() == ['a', 'one', 'one']
        assert found['labels'].tolist() == [3, -1, -1]
        first, *others = found['features']
        for feature in others:
            np.testing.assert_allclose(feature, first, atol=1e-4)


def test_where_the_weights_are_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['hiclr_mmaction.zoo'])
    runpy.run_module('hiclr_mmaction.zoo', run_name='__main__')
    assert capsys.readouterr().out.strip() == str(weights_path())
