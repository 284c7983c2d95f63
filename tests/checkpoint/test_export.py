"""In, out to file, and in again: numbers, names, and what stock MMAction2 takes."""

import hashlib

import numpy as np
import pytest
import torch
from helpers.configs import save_pretrained, synthetic_config
from helpers.references import load_reference
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import load_checkpoint

from hiclr_mmaction.apis import extract_features, init_encoder
from hiclr_mmaction.checkpoint import convert_hiclr, export_checkpoint, read_checkpoint
from hiclr_mmaction.zoo import weights_path

SMALL = dict(
    type='HiCLR',
    backbone=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
        base_channels=8,
        out_channels=32,
    ),
    neck=dict(type='SkeletonProjector', in_channels=32),
    head=dict(type='HierarchicalContrastHead'),
    queue_size=16,
)


def write_released(name, path):
    ref = load_reference(name)
    prefix = 'weight.' if name != 'dsta' else 'weight'
    weights = {k: v for k, v in ref.items() if k.startswith(prefix)}
    new = '' if name != 'dsta' else 'encoder_q'
    torch.save({k.replace(prefix, new, 1): v for k, v in weights.items()}, path)
    return ref


def save(model_cfg, path, **meta):
    """A checkpoint as a run leaves it."""
    torch.manual_seed(1)
    model = MODELS.build(Config(dict(m=model_cfg)).m)
    text = Config(dict(model=model_cfg)).pretty_text
    torch.save(dict(meta=dict(cfg=text, **meta), state_dict=model.state_dict()), path)
    return model.eval()


@pytest.mark.parametrize('name', ['inference', 'dsta'])
def test_released_numbers_hold_through_files(name, tmp_path):
    ref = write_released(name, tmp_path / 'released.pt')
    convert_hiclr(tmp_path / 'released.pt', tmp_path / 'ours.pth')
    export_checkpoint(tmp_path / 'ours.pth', tmp_path / 'exported.pth')
    # What comes out goes in again.
    export_checkpoint(tmp_path / 'exported.pth', tmp_path / 'again.pth')
    for file in ('ours', 'exported', 'again'):
        path = tmp_path / f'{file}.pth'
        text = read_checkpoint(path)['meta']['cfg']
        model = MODELS.build(Config.fromstring(text, '.py').model)
        load_checkpoint(model, str(path), strict=True)
        model.eval()
        with torch.no_grad():
            logits = model(ref['input'].unsqueeze(1), stage='head', mode='tensor')
        torch.testing.assert_close(logits, ref['out.logits'], rtol=0, atol=1e-5)


def test_pretraining_weights_are_converted_and_exported(tmp_path):
    write_released('pretrain_step', tmp_path / 'released.pt')
    model = convert_hiclr(tmp_path / 'released.pt', tmp_path / 'ours.pth')
    assert model['type'] == 'HiCLR'
    assert model['queue_size'] == 256
    exported = export_checkpoint(tmp_path / 'ours.pth', tmp_path / 'exported.pth')
    assert exported['backbone']['type'] == 'HiCLRSTGCN'  # 256 is not 4 * 16
    weights = read_checkpoint(tmp_path / 'exported.pth')['state_dict']
    assert all(name.startswith('backbone.') for name in weights)


def test_another_width_names_the_first_keys(tmp_path):
    write_released('inference', tmp_path / 'released.pt')
    other = dict(
        type='RecognizerGCN',
        backbone=dict(
            type='HiCLRSTGCN',
            graph_cfg=dict(layout='nturgb+d-stgcn', mode='stgcn_spatial'),
            base_channels=32,
        ),
        cls_head=dict(type='GCNHead', num_classes=60, in_channels=256),
    )
    with pytest.raises(
        ValueError, match=r'released.pt does not fit .* First: backbone.gcn.0.gcn.bn.w'
    ):
        convert_hiclr(tmp_path / 'released.pt', tmp_path / 'ours.pth', model=other)
    with pytest.raises(ValueError, match="not the adjacency of layout 'kinect20'"):
        convert_hiclr(tmp_path / 'released.pt', tmp_path / 'ours.pth', 'kinect20')
    assert not (tmp_path / 'ours.pth').exists()


def test_a_truncated_block_is_named(tmp_path):
    ref = load_reference('inference')
    weights = {
        k.removeprefix('weight.'): v for k, v in ref.items() if k.startswith('weight.')
    }
    weights.pop('encoder_q.st_gcn_networks.3.tcn.2.weight')
    torch.save(weights, tmp_path / 'released.pt')
    with pytest.raises(ValueError, match='backbone.gcn.3.tcn.conv.weight is missing'):
        convert_hiclr(tmp_path / 'released.pt', tmp_path / 'ours.pth')


def test_no_backbone_weights_are_said_so(tmp_path):
    torch.save({'queue': torch.ones(4, 8)}, tmp_path / 'a.pt')
    with pytest.raises(ValueError, match='there are no backbone weights'):
        convert_hiclr(tmp_path / 'a.pt', tmp_path / 'b.pth')
    torch.save({'fc.weight': torch.ones(1)}, tmp_path / 'c.pth')
    with pytest.raises(ValueError, match=r'no backbone weights .*fc.weight'):
        export_checkpoint(
            tmp_path / 'c.pth', tmp_path / 'd.pth', config=dict(model=SMALL)
        )


def test_weights_of_another_model_name_the_first_keys(tmp_path):
    save(SMALL, tmp_path / 'a.pth')
    other = dict(SMALL, backbone=dict(SMALL['backbone'], base_channels=16))
    with pytest.raises(ValueError, match=r'First: backbone.gcn.0.gcn.PA|gcn.0.gcn.bn'):
        export_checkpoint(
            tmp_path / 'a.pth', tmp_path / 'b.pth', config=dict(model=other)
        )


def test_stock_mmaction2_loads_it_without_this_package(tmp_path, monkeypatch):
    model = save(SMALL, tmp_path / 'a.pth', epoch=3)
    exported = export_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert exported['backbone']['type'] == 'STGCN'
    # Of what this package registers nothing may be used.
    for name, kind in list(MODELS.module_dict.items()):
        if kind.__module__.startswith('hiclr_mmaction'):
            monkeypatch.delitem(MODELS.module_dict, name)
    path = str(tmp_path / 'b.pth')
    checkpoint = torch.load(path, weights_only=True)
    cfg = Config.fromstring(checkpoint['meta']['cfg'], '.py')
    assert 'custom_imports' not in cfg
    assert checkpoint['meta']['epoch'] == 3
    stock = MODELS.build(cfg.model).eval()
    load_checkpoint(stock, path, strict=True)
    x = torch.randn(2, 1, 16, 20, 3)
    torch.testing.assert_close(stock.backbone(x), model.backbone(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ('change', 'kind'),
    [
        (dict(out_channels=48), 'HiCLRSTGCN'),
        (dict(graph_cfg=dict(layout='coco', mode='spatial')), 'STGCN'),
    ],
)
def test_stock_backbone_only_where_the_widths_allow(change, kind, tmp_path):
    backbone = dict(SMALL['backbone'], **change)
    width = backbone['out_channels']
    save(
        dict(SMALL, backbone=backbone, neck=dict(SMALL['neck'], in_channels=width)),
        tmp_path / 'a.pth',
    )
    exported = export_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert exported['backbone']['type'] == kind
    if 'graph_cfg' in change:  # a layout that MMAction2 knows keeps its name
        assert exported['backbone']['graph_cfg']['layout'] == 'coco'
    text = read_checkpoint(tmp_path / 'b.pth')['meta']['cfg']
    assert ('hiclr_mmaction' in text) == (kind == 'HiCLRSTGCN')


def test_an_unknown_backbone_asks_for_its_config(tmp_path):
    save(SMALL, tmp_path / 'a.pth')
    other = dict(SMALL, backbone=dict(type='NoSuchNet'))
    with pytest.raises(ValueError, match='NoSuchNet .* is not registered'):
        export_checkpoint(
            tmp_path / 'a.pth', tmp_path / 'b.pth', config=dict(model=other)
        )


@pytest.mark.parametrize('target', ['b.pth', 'b.safetensors', 'folder'])
def test_an_exported_encoder_needs_no_config(target, tmp_path):
    options = {'model.data_preprocessor.stream': 'bone'}
    source = save_pretrained(tmp_path / 'a.pth', **options)
    export_checkpoint(source, tmp_path / target)
    clips = [np.random.default_rng(0).normal(size=(2, 30, 25, 3)).astype(np.float32)]
    expected = init_encoder(synthetic_config(tmp_path, **options), source)
    encoder = init_encoder(tmp_path / target)
    # Stock blocks and ours add up in another order.
    np.testing.assert_allclose(
        extract_features(encoder, clips), extract_features(expected, clips), atol=1e-6
    )
    again = read_checkpoint(tmp_path / target / 'model.safetensors' if target == 'folder'
                            else tmp_path / target)  # fmt: skip
    assert again['meta']['stream'] == 'bone'


def test_what_is_exported_again_has_the_same_features(tmp_path):
    pool = {'model.pool': dict(time=2, joints=True)}
    source = save_pretrained(tmp_path / 'a.pth', **pool)
    export_checkpoint(source, tmp_path / 'once.safetensors')
    export_checkpoint(tmp_path / 'once.safetensors', tmp_path / 'twice.pth')
    clips = [
        np.random.default_rng(0).normal(0, 0.2, size=(1, 30, 25, 3)).astype(np.float32)
    ]
    once, twice = (
        extract_features(init_encoder(tmp_path / name), clips)
        for name in ('once.safetensors', 'twice.pth')
    )
    np.testing.assert_allclose(once, twice)
    assert once.shape == (1, 2 * 25 * 16)


def test_a_folder_for_a_model_hub_has_a_card(tmp_path):
    source = save_pretrained(tmp_path / 'a.pth')
    export_checkpoint(source, tmp_path / 'hub', license='cc-by-4.0')
    assert sorted(p.name for p in (tmp_path / 'hub').iterdir()) == [
        'README.md',
        'model.safetensors',
    ]
    card = (tmp_path / 'hub' / 'README.md').read_text()
    weights = (tmp_path / 'hub' / 'model.safetensors').read_bytes()
    for text in (
        'license: cc-by-4.0',
        hashlib.sha256(weights).hexdigest(),
        '| layout | nturgb+d |',
        '| stream | joint |',
        '| method | HiCLR |',
        'SyntheticSkeletons',
        'num_frames=',
    ):
        assert text in card
    assert 'maps those of other 3-D layouts' in card
    assert '{' not in card.replace('dict(', '')
    with pytest.raises(FileExistsError, match='--overwrite'):
        export_checkpoint(source, tmp_path / 'hub')


class TestCardsOfRuns:
    @pytest.fixture
    def run(self, tmp_path):
        """A checkpoint as our hook and mmengine save it, and the figures of its run."""
        source = save_pretrained(tmp_path / 'run.pth')
        content = torch.load(source, weights_only=False)
        content['meta'].update(
            epoch=2, iter=6, seed=3, command='python train.py mine.py --seed 3',
            config_file='mine.py', software='torch 2.6',
            mmengine_version=f'0.10.7{"1a" * 20}',
        )  # fmt: skip
        torch.save(content, source)
        log = tmp_path / 'first' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text('{"knn/k1": 0.5, "step": 2}\n')
        return source

    def card(self, source, folder, **kwargs):
        export_checkpoint(source, folder, **kwargs)
        return (folder / 'README.md').read_text()

    def test_they_say_how_it_was_trained(self, run, tmp_path):
        card = self.card(run, tmp_path / 'hub')
        for row in (
            '| config | mine.py |',
            '| command | `python train.py mine.py --seed 3` |',
            f'| commit | {"1a" * 20} |',
            '| software | torch 2.6, mmengine 0.10.7 |',
            '| knn/k1, epoch 2 | 0.5000 |',
        ):
            assert row in card
        assert 'not measured' not in card.split('## Limits')[0]

    def test_what_is_exported_again_says_the_same(self, run, tmp_path):
        first = self.card(run, tmp_path / 'hub')
        run.unlink()
        second = self.card(tmp_path / 'hub' / 'model.safetensors', tmp_path / 'again')
        assert second.split('## Files')[0] == first.split('## Files')[0]

    def test_figures_are_of_the_encoder_before_it_was_mapped(self, run, tmp_path):
        self.card(run, tmp_path / 'mapped', to_layout='kinect20')
        card = self.card(tmp_path / 'mapped' / 'model.safetensors', tmp_path / 'again')
        assert '| layout | kinect20 |\n| mapped from | nturgb+d |' in card
        assert 'the mapped one was not measured.\n\n| | |\n|---|---|\n| knn/k1' in card

    def test_an_encoder_of_the_zoo_keeps_its_terms_and_data(self, tmp_path):
        card = self.card(weights_path(), tmp_path / 'hub', to_layout='openni15')
        assert card.startswith('---\nlicense: apache-2.0\n')
        for text in (
            '# HiCLR with STGCN',
            '| trained on | SyntheticSkeletons |',
            '43.7 %',
        ):
            assert text in card
        assert 'the mapped one was not measured' in card

    def test_of_nothing_measured_no_figure_is_told(self, run, tmp_path):
        for log in tmp_path.rglob('scalars.json'):
            log.unlink()
        card = self.card(run, tmp_path / 'hub')
        assert 'No figure was measured.' in card

    def test_a_refused_export_leaves_no_folder(self, run, tmp_path):
        with pytest.raises(ValueError, match="'coco' is 2d"):
            export_checkpoint(run, tmp_path / 'hub', to_layout='coco')
        assert not (tmp_path / 'hub').exists()
