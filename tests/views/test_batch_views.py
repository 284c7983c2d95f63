"""Views of a batch on the model's device: their stream, and the pipeline's beside them."""

import io
import math

import numpy as np
import pytest
import torch
from helpers.support import device_views_config
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.runner import Runner
from torch.utils._python_dispatch import TorchDispatchMode

from hiclr_mmaction.skeleton import to_stream
from hiclr_mmaction.views import GrowingAugmentation
from hiclr_mmaction.views import batch_views as device_views

LEVELS = [
    [dict(type='SkeletonTemporalCrop'), dict(type='SkeletonShear')],
    [
        dict(type='SkeletonMirror'),
        dict(type='SkeletonRotate'),
        dict(type='SkeletonNoise', std=0.1),
        dict(type='SkeletonBlur'),
        dict(type='SkeletonChannelMask'),
        dict(type='SkeletonTimeFlip'),
    ],
    [dict(type='SkeletonJointMask', ratio=0.1)],
]


def build(**kwargs):
    return MODELS.build(
        dict(
            type='SkeletonViewPreprocessor', **{'views': dict(levels=LEVELS), **kwargs}
        )
    )


def batch(n=3, frames=12):
    return dict(inputs=torch.randn(n, 2, frames, 25, 3), data_samples=[])


def equal(a, b):
    return all(
        torch.equal(x, y)
        for x, y in zip(
            [a['key'], *a['queries'], a['mask']],
            [b['key'], *b['queries'], b['mask']],
            strict=True,
        )
    )


class TestBatch:
    def test_views_are_float32_in_mixed_precision(self):
        def make():
            torch.manual_seed(0)
            return build()(batch(), training=True)['inputs']

        exact = make()
        with torch.autocast('cpu', torch.bfloat16):
            mixed = make()
        assert equal(exact, mixed)

    def test_training_batch_gets_key_queries_and_mask(self):
        data = batch()
        before = data['inputs'].clone()
        out = build()(data, training=True)['inputs']
        shape = (3, 2, 12, 25, 3)
        assert [tuple(v.shape) for v in [out['key'], *out['queries']]] == [shape] * 4
        assert out['mask'].shape == (3, 12, 25)
        assert (out['mask'].sum(-1) == 2).all()
        assert torch.equal(data['inputs'], before)
        assert not torch.equal(out['key'], out['queries'][0])

    def test_list_of_clips_and_half_precision_are_taken(self):
        clips = [torch.randn(2, 12, 25, 3).half() for _ in range(3)]
        out = build()(dict(inputs=clips, data_samples=[]), training=True)['inputs']
        assert out['queries'][2].shape == (3, 2, 12, 25, 3)
        assert out['key'].dtype == torch.float32

    def test_clips_are_left_alone_outside_of_training(self):
        data = batch()
        assert torch.equal(build()(data)['inputs'], data['inputs'])

    def test_absent_persons_stay_absent(self):
        data = batch()
        data['inputs'][:, 1] = 0
        out = build(ada_in={})(data, training=True)['inputs']
        assert all((v[:, 1] == 0).all() for v in [out['key'], *out['queries']])

    def test_clips_made_in_several_pieces_keep_their_order_and_differ(self):
        clips = torch.randn(1, 2, 600, 25, 3).expand(5, -1, -1, -1, -1).clone()
        clips[:, 0, 0, 0, 0] = torch.arange(5)
        plain = build(views=dict(levels=[[], []]))
        assert plain.views.growing.piece_size(clips) < 5
        out = plain(dict(inputs=clips, data_samples=[]), training=True)['inputs']
        assert all(torch.equal(v, clips) for v in [out['key'], *out['queries']])
        data = dict(inputs=clips[:1].repeat(5, 1, 1, 1, 1), data_samples=[])
        out = build()(data, training=True)['inputs']
        for view in (out['key'], *out['queries'], out['mask']):
            assert len(torch.unique(view.flatten(1), dim=0)) == 5

    def test_masks_of_several_levels_are_a_list(self):
        masked = [[], [dict(type='SkeletonJointMask')], []]
        out = build(views=dict(levels=masked))(batch(), training=True)['inputs']
        assert [int(m.sum()) for m in out['mask']] == [0, 72, 72]

    def test_stream_comes_after_the_views(self):
        torch.manual_seed(0)
        joint = build()(data := batch(), training=True)['inputs']
        torch.manual_seed(0)
        bone = build(stream='bone')(data, training=True)['inputs']
        assert torch.equal(bone['key'], to_stream(joint['key'], 'bone', 'nturgb+d'))

    def test_layout_of_the_preprocessor_is_that_of_the_augmentations(self):
        prepare = build(layout='coco')
        assert prepare.views.growing.levels[0][1].layout == 'coco'
        mirror = dict(type='SkeletonMirror', layout='nturgb+d')
        with pytest.raises(ValueError, match='but SkeletonViewPreprocessor was given'):
            build(layout='coco', views=dict(levels=[[mirror]]))

    def test_views_of_the_pipeline_as_well_are_an_error(self):
        data = dict(inputs=dict(key=torch.zeros(2, 1, 8, 25, 3), queries=[]))
        with pytest.raises(ValueError, match='the batch holds views already'):
            build()(data, training=True)


class TestStream:
    def test_seed_of_the_run_repeats_it_and_batches_differ(self):
        data = batch()
        runs = []
        for seed in (1, 1, 2):
            prepare = build(ada_in=dict(prob=0.5))
            torch.manual_seed(seed)
            runs.append([prepare(data, training=True)['inputs'] for _ in range(2)])
        assert equal(runs[0][0], runs[1][0])
        assert equal(runs[0][1], runs[1][1])
        assert not equal(runs[0][0], runs[0][1])
        assert not equal(runs[0][0], runs[2][0])

    def test_it_neither_depends_on_other_draws_nor_changes_them(self):
        data = batch()
        torch.manual_seed(1)
        first = build(ada_in=dict(prob=0.5))(data, training=True)['inputs']
        after = torch.rand(3)
        torch.manual_seed(1)
        assert torch.equal(torch.rand(3), after)
        second = build(ada_in=dict(prob=0.5))(data, training=True)['inputs']
        assert equal(first, second)

    def test_ranks_differ(self, monkeypatch):
        data = batch()
        seen = []
        for rank in (0, 1):
            monkeypatch.setattr(device_views, 'get_rank', lambda rank=rank: rank)
            torch.manual_seed(1)
            seen.append(build()(data, training=True)['inputs'])
        assert not equal(*seen)

    def test_checkpoint_continues_it(self):
        data = batch()
        prepare = build()
        prepare(data, training=True)
        file = io.BytesIO()
        torch.save(prepare.state_dict(), file)
        expected = prepare(data, training=True)['inputs']
        file.seek(0)
        torch.manual_seed(99)  # of another run
        resumed = build()
        resumed.load_state_dict(torch.load(file, weights_only=True))
        assert equal(resumed(data, training=True)['inputs'], expected)

    def test_checkpoint_before_the_first_batch_leaves_the_seed_open(self):
        state = build().state_dict()
        torch.manual_seed(4)
        prepare = build()
        prepare.load_state_dict(state)
        prepare(batch(), training=True)
        assert prepare.state_dict()['views._extra_state'].tolist() == [4, 1]

    def test_without_views_there_is_no_state(self):
        assert not build(views=None).state_dict()


def test_run_that_is_resumed_goes_on_with_the_stream(tmp_path):
    runner = Runner.from_cfg(device_views_config(tmp_path))
    runner.train()
    seed, batches = runner.model.data_preprocessor.views.get_extra_state().tolist()
    assert seed == runner.seed
    assert batches == runner.iter > 0
    cfg = device_views_config(
        tmp_path, load_from=f'{tmp_path}/epoch_1.pth', resume=True
    )
    resumed = Runner.from_cfg(cfg)
    resumed.load_or_resume()
    views = resumed.model.data_preprocessor.views
    assert views.get_extra_state().tolist() == [seed, batches]


class NothingIsRead(TorchDispatchMode):
    """Fails where the host would wait for a GPU to tell it a number or a shape."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket._qualified_op_name
        assert name not in ('aten::_local_scalar_dense', 'aten::nonzero'), name
        return func(*args, **(kwargs or {}))


def test_draws_of_a_gpu_are_not_read():
    growing = GrowingAugmentation(LEVELS)
    generator = torch.Generator()
    with NothingIsRead():
        draws = growing.draw(3, generator, (2, 12, 25, 3))
    # The way of a CPU does read which are chosen.
    with pytest.raises(AssertionError, match='nonzero'), NothingIsRead():
        growing.apply(batch()['inputs'], **draws)


# A graph of one piece has no branch that depends on data, and so waits for none. While it
# is compiled a CPU goes the way of a GPU.
@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*Dynamo detected a call to a `functools.lru_cache')
def test_gpu_s_way_reads_nothing_and_makes_the_same_views():
    growing = GrowingAugmentation(LEVELS)
    x = batch()['inputs']
    draws = growing.draw(3, torch.Generator().manual_seed(3), x.shape[1:])
    made = torch.compile(growing.apply, backend='eager', fullgraph=True)(x, **draws)
    plain = growing.apply(x, **draws)
    for a, b in zip(
        [made['key'], *made['queries'], made['mask'][-1]],
        [plain['key'], *plain['queries'], plain['mask'][-1]],
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('stream', ['joint', 'bone_motion'])
def test_gpu_is_not_waited_for(stream):
    prepare = build(stream=stream, ada_in=dict(prob=0.5)).cuda()
    data = dict(inputs=batch()['inputs'].cuda(), data_samples=[])
    prepare(data, training=True)  # copies the constants
    torch.cuda.set_sync_debug_mode('error')
    try:
        out = prepare(data, training=True)['inputs']
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert out['queries'][2].is_cuda


# Moments. Samples of one clip, so that all that differs between them is drawn.
SAMPLES = 400
WAYS = ['batch', 'gpu']


def samples_of_pipeline(cfg, clip):
    transform = TRANSFORMS.build(cfg)
    return torch.stack(
        [
            torch.from_numpy(transform(dict(keypoint=clip.numpy()))['keypoint'])
            for _ in range(SAMPLES)
        ]
    )


def assert_alike(a, b, clip):
    """Two sets of samples ``(N, M, T, V, C)``: same moments, changed as often."""
    changed = [(x != clip).flatten(1).any(1).float().mean() for x in (a, b)]
    p = max(float(sum(changed)) / 2, 1 / SAMPLES)
    error = math.sqrt(2 * max(p * (1 - p), 1 / SAMPLES) / SAMPLES)
    assert abs(changed[0] - changed[1]) < 5 * error
    # Of a joint's coordinate, over persons and frames.
    a, b = (x.mean((1, 2)) for x in (a, b))
    scale = torch.cat([a, b]).std(0) + 1e-4
    assert ((a.mean(0) - b.mean(0)).abs() < 6 * scale * math.sqrt(2 / SAMPLES)).all()
    # The standard deviation of a standard deviation needs the fourth moment.
    squares = [(x - torch.cat([a, b]).mean(0)).square() for x in (a, b)]
    scale = torch.cat(squares).std(0) + 1e-6
    difference = (squares[0].mean(0) - squares[1].mean(0)).abs()
    assert (difference < 6 * scale * math.sqrt(2 / SAMPLES)).all()


SINGLE = [cfg for level in LEVELS for cfg in level]


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('cfg', SINGLE, ids=[cfg['type'] for cfg in SINGLE])
def test_augmentation_of_a_batch_has_the_moments_of_the_pipeline_s(cfg, way):
    clip = torch.randn(1, 12, 25, 3)
    x = clip.expand(SAMPLES, -1, -1, -1, -1)
    transform = TRANSFORMS.build(cfg)
    generator = torch.Generator().manual_seed(7)
    if way == 'gpu':
        draws = transform.draw(SAMPLES, generator, clip.shape)
    else:
        draws = transform.draw(SAMPLES, generator)
    assert_alike(transform.apply(x, **draws), samples_of_pipeline(cfg, clip), clip)


@pytest.mark.parametrize('way', WAYS)
def test_views_of_a_batch_have_the_moments_of_the_pipeline_s(way):
    clip = torch.randn(1, 12, 25, 3)
    x = clip.expand(SAMPLES, -1, -1, -1, -1)
    growing = GrowingAugmentation(LEVELS)
    if way == 'gpu':
        generator = torch.Generator().manual_seed(7)
        draws = growing.draw(SAMPLES, generator, clip.shape)
        made = growing.apply(x, **draws)
    else:
        made = build()(dict(inputs=x, data_samples=[]), training=True)['inputs']
    single = [growing(dict(keypoint=clip.numpy()))['views'] for _ in range(SAMPLES)]
    assert_alike(made['key'], torch.stack([v['key'] for v in single]), clip)
    for level, view in enumerate(made['queries']):
        pipeline = torch.stack([v['queries'][level] for v in single])
        assert_alike(view, pipeline, clip)
    mask = made['mask'] if way == 'batch' else made['mask'][-1]
    masks = [mask, torch.stack([v['mask'][-1] for v in single])]
    rates = np.array([m.float().mean((0, 1)).numpy() for m in masks])
    assert abs(rates - 2 / 25).max() < 5 * math.sqrt(0.08 / (SAMPLES * 12))
