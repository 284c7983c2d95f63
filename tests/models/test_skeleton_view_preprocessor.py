"""From a batch of clips, or of views, to what a learner takes."""

import io

import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import MODELS
from mmengine.runner import Runner

from hiclr_mmaction.checkpoint import load_safely
from hiclr_mmaction.models import skeleton_view_preprocessor
from hiclr_mmaction.skeleton import to_stream
from hiclr_mmaction.skeleton.augment import ada_in

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
    return MODELS.build(dict(type='SkeletonViewPreprocessor', **kwargs))


def clips(n=3, persons=2):
    return dict(inputs=torch.randn(n, persons, 12, 25, 3), data_samples=[])


def views(n=4, levels=3, persons=2):
    def view():
        return torch.randn(n, persons, 8, 25, 3)

    return dict(
        inputs=dict(key=view(), queries=[view() for _ in range(levels)]),
        data_samples=[],
    )


def equal(a, b):
    return all(
        torch.equal(x, y)
        for x, y in zip(
            [a['key'], *a['queries'], a['mask']],
            [b['key'], *b['queries'], b['mask']],
            strict=True,
        )
    )


@pytest.mark.parametrize('stream', ['joint', 'bone', 'motion', 'bone_motion'])
def test_every_view_and_a_plain_batch_become_the_stream(stream):
    batch = views()
    prepare = build(stream=stream, layout='nturgb+d')
    out = prepare(batch, training=True)['inputs']
    for view, raw in zip(
        [out['key'], *out['queries']],
        [batch['inputs']['key'], *batch['inputs']['queries']],
        strict=True,
    ):
        assert torch.equal(view, to_stream(raw, stream, 'nturgb+d'))
    plain = [torch.randn(2, 8, 25, 3) for _ in range(3)]
    out = prepare(dict(inputs=plain, data_samples=[]))['inputs']
    assert torch.equal(out, to_stream(torch.stack(plain), stream, 'nturgb+d'))


class TestViews:
    def test_training_batch_gets_key_queries_and_mask(self):
        data = clips()
        before = data['inputs'].clone()
        out = build(views=dict(levels=LEVELS))(data, training=True)['inputs']
        shape = (3, 2, 12, 25, 3)
        assert [tuple(v.shape) for v in [out['key'], *out['queries']]] == [shape] * 4
        assert out['mask'].shape == (3, 12, 25)
        assert (out['mask'].sum(-1) == 2).all()
        assert torch.equal(data['inputs'], before)
        assert not torch.equal(out['key'], out['queries'][0])

    def test_views_are_float32_in_mixed_precision(self):
        def make():
            torch.manual_seed(0)
            return build(views=dict(levels=LEVELS))(clips(), training=True)['inputs']

        exact = make()
        with torch.autocast('cpu', torch.bfloat16):
            mixed = make()
        assert equal(exact, mixed)

    def test_list_of_clips_and_half_precision_are_taken(self):
        data = dict(inputs=[torch.randn(2, 12, 25, 3).half() for _ in range(3)])
        out = build(views=dict(levels=LEVELS))(data, training=True)['inputs']
        assert out['queries'][2].shape == (3, 2, 12, 25, 3)
        assert out['key'].dtype == torch.float32

    def test_clips_are_left_alone_outside_of_training(self):
        data = clips()
        out = build(views=dict(levels=LEVELS))(data)['inputs']
        assert torch.equal(out, data['inputs'])

    def test_views_of_a_pipeline_are_taken_as_they_are(self):
        batch = views()
        out = build(views=dict(levels=LEVELS))(batch, training=True)['inputs']
        assert torch.equal(out['key'], batch['inputs']['key'])
        assert torch.equal(out['queries'][2], batch['inputs']['queries'][2])

    def test_absent_persons_stay_absent(self):
        data = clips()
        data['inputs'][:, 1] = 0
        prepare = build(views=dict(levels=LEVELS), ada_in={})
        out = prepare(data, training=True)['inputs']
        assert all((v[:, 1] == 0).all() for v in [out['key'], *out['queries']])

    def test_masks_of_several_levels_are_a_list(self):
        masked = [[], [dict(type='SkeletonJointMask')], []]
        out = build(views=dict(levels=masked))(clips(), training=True)['inputs']
        assert [int(m.sum()) for m in out['mask']] == [0, 72, 72]

    def test_stream_comes_after_the_views(self):
        data, made = clips(), {}
        for stream in ('joint', 'bone'):
            torch.manual_seed(0)
            prepare = build(views=dict(levels=LEVELS), stream=stream)
            made[stream] = prepare(data, training=True)['inputs']['key']
        assert torch.equal(made['bone'], to_stream(made['joint'], 'bone', 'nturgb+d'))

    def test_layout_is_that_of_the_augmentations(self):
        prepare = build(layout='coco', views=dict(levels=LEVELS))
        assert prepare.views.levels[0][1].layout == 'coco'
        mirror = dict(type='SkeletonMirror', layout='nturgb+d')
        with pytest.raises(ValueError, match='but SkeletonViewPreprocessor was given'):
            build(layout='coco', views=dict(levels=[[mirror]]))


class TestRandomness:
    def build(self):
        return build(views=dict(levels=LEVELS), ada_in=dict(prob=0.5))

    def test_seed_of_the_run_repeats_it_and_batches_differ(self):
        data, runs = clips(), []
        for seed in (1, 1, 2):
            prepare = self.build()
            torch.manual_seed(seed)
            runs.append([prepare(data, training=True)['inputs'] for _ in range(2)])
        assert equal(runs[0][0], runs[1][0])
        assert equal(runs[0][1], runs[1][1])
        assert not equal(runs[0][0], runs[0][1])
        assert not equal(runs[0][0], runs[2][0])

    def test_it_neither_depends_on_other_draws_nor_changes_them(self):
        data = clips()
        torch.manual_seed(1)
        first = self.build()(data, training=True)['inputs']
        after = torch.rand(3)
        torch.manual_seed(1)
        assert torch.equal(torch.rand(3), after)
        assert equal(first, self.build()(data, training=True)['inputs'])

    def test_ranks_differ(self, monkeypatch):
        data, seen = clips(), []
        for rank in (0, 1):
            monkeypatch.setattr(
                skeleton_view_preprocessor, 'get_rank', lambda rank=rank: rank
            )
            torch.manual_seed(1)
            seen.append(self.build()(data, training=True)['inputs'])
        assert not equal(*seen)

    def test_checkpoint_continues_it(self):
        data = clips()
        prepare = self.build()
        prepare(data, training=True)
        file = io.BytesIO()
        torch.save(prepare.state_dict(), file)
        expected = prepare(data, training=True)['inputs']
        file.seek(0)
        torch.manual_seed(99)  # of another run
        resumed = self.build()
        resumed.load_state_dict(torch.load(file, weights_only=True))
        assert equal(resumed(data, training=True)['inputs'], expected)

    def test_checkpoint_before_the_first_batch_leaves_the_seed_open(self):
        data, state = clips(), self.build().state_dict()
        made = []
        for loaded in (False, True):
            prepare = self.build()
            if loaded:
                prepare.load_state_dict(state)
            torch.manual_seed(4)
            made.append(prepare(data, training=True)['inputs'])
        assert equal(*made)


def test_run_that_is_resumed_continues_the_draws(tmp_path):
    cfg = synthetic_config(tmp_path)
    cfg.model.data_preprocessor.views = dict(levels=LEVELS)
    runner = Runner.from_cfg(cfg)
    runner.train()
    cfg.merge_from_dict(dict(load_from=f'{tmp_path}/epoch_1.pth', resume=True))
    resumed = Runner.from_cfg(cfg)
    with load_safely():
        resumed.load_or_resume()
    data = clips(persons=1)
    made = [r.model.data_preprocessor(data, True)['inputs'] for r in (runner, resumed)]
    assert equal(*made)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('stream', ['joint', 'bone_motion'])
def test_gpu_is_not_waited_for_and_draws_as_the_cpu_does(stream):
    def build_it():
        torch.manual_seed(0)
        levels = [[t for t in s if 'Noise' not in t['type']] for s in LEVELS[:2]]
        return build(stream=stream, ada_in=dict(prob=0.5), views=dict(levels=levels))

    data = clips()
    expected = build_it()(data, training=True)['inputs']
    prepare = build(stream=stream, ada_in={}, views=dict(levels=LEVELS)).cuda()
    data = dict(inputs=data['inputs'].cuda(), data_samples=[])
    prepare(data, training=True)  # copies the constants
    torch.cuda.set_sync_debug_mode('error')
    try:
        prepare(data, training=True)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    made = build_it().cuda()(data, training=True)['inputs']
    torch.testing.assert_close(made['queries'][1].cpu(), expected['queries'][1])


class TestAdaIN:
    @pytest.mark.parametrize('dims', ['TV', 'V'])
    def test_strongest_view_gets_the_next_clips_statistics(self, dims):
        batch = views()
        out = build(ada_in=dict(dims=dims))(batch, training=True)['inputs']
        raw = batch['inputs']['queries']
        assert torch.equal(out['key'], batch['inputs']['key'])
        assert torch.equal(out['queries'][0], raw[0])
        assert torch.equal(out['queries'][1], raw[1])
        torch.testing.assert_close(
            out['queries'][2], ada_in(raw[2], raw[2].roll(1, 0), dims)
        )

    def test_is_for_training_only(self):
        batch = views()
        out = build(ada_in={})(batch, training=False)['inputs']
        assert torch.equal(out['queries'][2], batch['inputs']['queries'][2])

    def test_neither_makes_nor_copies_absent_persons(self):
        batch = views()
        view = batch['inputs']['queries'][2].clone()
        view[1, 1] = 0
        batch['inputs']['queries'][2] = view
        out = build(ada_in={})(batch, training=True)['inputs']['queries'][2]
        assert (out[1, 1] == 0).all()
        assert torch.equal(out[2, 1], view[2, 1])  # its style would be the absent one
        assert not torch.equal(out[3, 1], view[3, 1])

    def test_changes_a_clip_with_its_probability(self):
        batch = views(n=300, levels=1, persons=1)
        out = build(ada_in=dict(prob=0.4))(batch, training=True)['inputs']['queries'][0]
        changed = (out != batch['inputs']['queries'][0]).flatten(1).any(1)
        assert abs(changed.float().mean() - 0.4) < 0.12

    def test_comes_before_the_stream(self):
        batch = views()
        prepare = build(ada_in={}, stream='motion')
        out = prepare(batch, training=True)['inputs']['queries'][2]
        raw = batch['inputs']['queries'][2]
        mixed = ada_in(raw, raw.roll(1, 0), 'TV')
        torch.testing.assert_close(out, to_stream(mixed, 'motion', 'nturgb+d'))

    def test_keeps_the_scores_of_2d_skeletons(self):
        raw = torch.rand(4, 2, 8, 17, 3)
        batch = dict(inputs=dict(key=raw, queries=[raw, raw]), data_samples=[])
        prepare = build(ada_in={}, layout='coco')
        out = prepare(batch, training=True)['inputs']['queries'][1]
        assert torch.equal(out[..., 2], raw[..., 2])
        torch.testing.assert_close(
            out[..., :2], ada_in(raw[..., :2], raw[..., :2].roll(1, 0), 'TV')
        )

    def test_level_that_is_not_there_is_an_error(self):
        message = 'ada_in.levels names level 5, but the views have levels 0 to 2'
        with pytest.raises(ValueError, match=message):
            build(ada_in=dict(levels=(5,)), views=dict(levels=LEVELS))
        with pytest.raises(ValueError, match=message):
            build(ada_in=dict(levels=(5,)))(views(), training=True)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(stream='speed'), "stream='speed' is unknown"),
        (dict(layout='x'), "layout='x' is unknown"),
        (dict(ada_in=dict(dims='M')), "ada_in.dims='M' is unknown"),
        (dict(ada_in=dict(prob=2)), 'ada_in.prob=2 is not a probability'),
    ],
)
def test_unknown_names_are_errors_when_built(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)


def test_masked_joints_of_2d_skeletons_have_score_0_and_the_value_only_in_x_and_y():
    batch = views()
    mask = torch.zeros(4, 8, 25, dtype=torch.bool)
    mask[:, ::2, 5] = True
    batch['inputs']['mask'] = mask
    layout = dict(base='nturgb+d', coordinates='2d')
    out = build(layout=layout)(batch, training=True)['inputs']
    raw = batch['inputs']['queries'][2]
    view, masked = out['queries'][2], mask[:, None].expand(-1, 2, -1, -1)
    assert (view[masked][:, 2] == 0).all()
    assert torch.equal(view[~masked], raw[~masked])
    assert torch.equal(out['mask'][2][..., 1], mask)
    assert not out['mask'][2][..., 2].any()
    assert out['mask'][:2] == [None, None]
