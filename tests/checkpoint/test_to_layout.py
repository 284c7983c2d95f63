"""An encoder of one skeleton becomes one of another."""

import numpy as np
import pytest
import torch
from helpers.configs import save_pretrained

from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.checkpoint import export_checkpoint, map_backbone, read_checkpoint
from hiclr_mmaction.datasets.synthetic import make_clip
from hiclr_mmaction.skeleton import get_layout
from hiclr_mmaction.skeleton.mapping import joint_mapping, map_joints

CLIPS = [make_clip(action, 1, 0)[:1] for action in ('wave', 'squat', 'kick', 'walk')]


def shuffled(name, seed=0):
    """A layout whose joints stand in another order, and that order."""
    layout = get_layout(name)
    order = np.random.default_rng(seed).permutation(layout.num_joints)
    place = np.argsort(order)
    return order, dict(
        name='nturgb+d',  # there the joint called spine is the chest
        joints=[layout.joints[v] for v in order],
        bones=[[int(place[a]), int(place[b])] for a, b in layout.bones],
        mirror=[int(place[layout.mirror[v]]) for v in order],
        center=int(place[layout.center]),
        shoulders=[int(place[v]) for v in layout.shoulders],
    )


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Of nturgb+d, with edges that were learnt."""
    path = save_pretrained(tmp_path_factory.mktemp('trained') / 'trained.pth')
    content = torch.load(path, weights_only=True)
    for name, value in content['state_dict'].items():
        if name.startswith('backbone.') and name.endswith('.PA'):
            value.uniform_(0.5, 1.5)
    torch.save(content, path)
    return path


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_the_same_joints_in_another_order_give_the_same_features(
    trained, tmp_path, suffix
):
    order, layout = shuffled('nturgb+d')
    target = tmp_path / f'other{suffix}'
    export_checkpoint(trained, target, to_layout=layout)
    other = init_encoder(target)
    assert (
        other.layout.joints == tuple(layout['joints']) != get_layout('nturgb+d').joints
    )
    expected = extract_features(init_encoder(trained), CLIPS)
    found = extract_features(other, [clip[:, :, order] for clip in CLIPS])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_fewer_joints_give_features_near_those_of_mapped_clips(trained, tmp_path):
    export_checkpoint(trained, tmp_path / 'other.pth', to_layout='openni15')
    other = init_encoder(tmp_path / 'other.pth')
    fewer = [map_joints(torch.from_numpy(c), 'nturgb+d', 'openni15') for c in CLIPS]
    found = extract_features(other, [c.numpy() for c in fewer])
    again = [map_joints(c, 'openni15', 'nturgb+d').numpy() for c in fewer]
    expected = extract_features(init_encoder(trained), again)
    cosine = torch.cosine_similarity(torch.tensor(found), torch.tensor(expected))
    assert cosine.min() > 0.9


def test_means_follow_the_joints_and_variances_stay_positive(trained):
    content = read_checkpoint(trained)
    weights = {
        k.removeprefix('backbone.'): v
        for k, v in content['state_dict'].items()
        if k.startswith('backbone.')
    }
    means = weights['data_bn.running_mean'].view(25, 3)
    backbone = dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial'),
        base_channels=8,
        num_stages=3,
        inflate_stages=[3],
        down_stages=[2],
        out_channels=16,
    )
    mapped, cfg = map_backbone(weights, backbone, 'nturgb+d', 'azure_kinect')
    assert cfg['graph_cfg']['layout'] == 'azure_kinect'
    matrix = torch.tensor(joint_mapping('nturgb+d', 'azure_kinect').weights)
    torch.testing.assert_close(
        mapped['data_bn.running_mean'].view(32, 3), matrix @ means
    )
    assert (mapped['data_bn.running_var'] > 0).all()
    assert mapped['gcn.0.gcn.A'].shape[-1] == 32
    assert torch.equal(
        mapped['gcn.2.tcn.conv.weight'], weights['gcn.2.tcn.conv.weight']
    )


def test_what_cannot_be_mapped_is_told(trained, tmp_path):
    with pytest.raises(ValueError, match='no graph_cfg'):
        map_backbone({}, dict(type='DSTANet'), 'nturgb+d', 'openni15')
    hand = dict(joints=['palm', 'tip'], bones=[[1, 0]], center=0)
    with pytest.raises(ValueError, match='palm, tip is unknown'):
        export_checkpoint(trained, tmp_path / 'x.pth', to_layout=hand)
    assert not list(tmp_path.iterdir())


def test_an_encoder_of_3d_skeletons_is_not_made_one_of_2d(trained, tmp_path):
    with pytest.raises(ValueError, match="'coco' is 2d; name a layout of the same"):
        export_checkpoint(trained, tmp_path / 'flat.pth', to_layout='coco')
    assert not (tmp_path / 'flat.pth').exists()
