"""HiCLR: the step, its state, and every choice it offers."""

import copy

import pytest
import torch
from helpers.skeletons import view_batch as batch
from mmaction.registry import MODELS

from hiclr_mmaction.models.modules import pool_skeleton


def config(levels=3, **kwargs):
    cfg = dict(
        type='HiCLR',
        backbone=dict(
            type='HiCLRSTGCN',
            graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
            base_channels=4,
            out_channels=8,
            num_stages=3,
            inflate_stages=[3],
            down_stages=[3],
        ),
        neck=dict(type='SkeletonProjector', in_channels=8, out_channels=6),
        head=dict(
            type='HierarchicalContrastHead',
            level_weights=(1.0,) + (0.5,) * (levels - 1),
        ),
        queue_size=20,
        momentum=0.1,
    )
    return dict(cfg, **kwargs)


def build(levels=3, **kwargs):
    model = MODELS.build(config(levels, **kwargs))
    model.init_weights()
    return model.train()


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def train(model, steps, **kwargs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        losses = model.loss(batch(**kwargs))
        optimizer.zero_grad()
        total(losses).backward()
        optimizer.step()
    return losses


class TestSkipAbsent:
    def test_noise_and_mask_bring_no_person_back(self):
        """Views of a second person who is only noise give what one person gives."""
        model = build(backbone=dict(config()['backbone'], skip_absent=True))
        inputs = batch(persons=2)
        inputs['key'][:, 1] = inputs['queries'][0][:, 1] = 0
        first = dict(
            key=inputs['key'][:, :1],
            queries=[view[:, :1] for view in inputs['queries']],
            mask=inputs['mask'],
        )
        with torch.no_grad():
            model.mask_token.fill_(3.0)
        alone = copy.deepcopy(model).loss(first)
        unmasked = copy.deepcopy(model).loss(dict(first, mask=None))
        losses = model.loss(inputs)
        torch.testing.assert_close(losses, alone)
        assert losses['loss_level2'] != unmasked['loss_level2']
        total(losses).backward()
        assert model.mask_token.grad.isfinite().all()


class TestLoss:
    @pytest.mark.parametrize('levels', [1, 2, 3, 5])
    def test_has_a_part_for_each_level_and_detached_monitors(self, levels):
        losses = build(levels).loss(batch(levels=levels))
        parts = ['loss_contrast', *(f'loss_level{i}' for i in range(1, levels))]
        monitors = ['contrast_accuracy', 'feature_spread']
        assert list(losses) == parts + monitors
        assert all(losses[k].requires_grad for k in parts)
        assert not any(losses[k].requires_grad for k in monitors)
        assert 0 <= losses['contrast_accuracy'] <= 1
        assert 0 < losses['feature_spread'] < 1.5

    def test_reaches_every_parameter_of_the_query_side_and_none_of_the_key_side(self):
        model = build()
        total(model.loss(batch())).backward()
        for name, parameter in model.named_parameters():
            if name.startswith('key_encoder'):
                assert parameter.grad is None
            else:
                assert parameter.grad is not None, name

    @pytest.mark.parametrize('masked', [True, False])
    def test_mask_token_has_a_gradient_with_and_without_a_mask(self, masked):
        model = build()
        total(model.loss(batch(masked=masked))).backward()
        assert (model.mask_token.grad != 0) == masked

    def test_clips_of_which_nobody_made_views_are_an_error(self):
        with pytest.raises(ValueError, match='inputs are clips, not views'):
            build().loss(torch.randn(4, 1, 12, 25, 3))

    def test_views_that_do_not_match_the_weights_are_an_error(self):
        with pytest.raises(
            ValueError, match='weighs 3 query levels, but the views have 2'
        ):
            build().loss(batch(levels=2))


class TestKeyEncoder:
    def test_starts_equal_to_the_query_encoder(self):
        model = build()
        model.loss(batch())
        query = model.query_encoder.state_dict()
        for name, value in model.key_encoder.module.named_parameters():
            assert torch.equal(value, query[name]), name

    def test_follows_it_by_the_momentum(self):
        model = build()
        model.loss(batch())
        before = copy.deepcopy(model.key_encoder.module.neck.mlp[0].weight)
        model.neck.mlp[0].weight.data += 1
        model.loss(batch())
        after = model.key_encoder.module.neck.mlp[0].weight
        torch.testing.assert_close(after, before + 0.1)

    @pytest.mark.parametrize('momentum', [0, 1, -0.1, 1.5, float('nan')])
    def test_momentum_out_of_range_is_an_error(self, momentum):
        with pytest.raises(ValueError, match=f'momentum={momentum} is not between'):
            build(momentum=momentum)


class TestQueue:
    def test_last_partial_batch_trains(self):
        model = build(queue_size=6)
        for n in (4, 4, 2, 1):
            total(model.loss(batch(n))).backward()
        assert int(model.queue.pointer) == (4 + 4 + 2 + 1) % 6

    def test_holds_the_keys_after_the_loss(self):
        model = build()
        model.loss(batch(5))
        assert int(model.queue.pointer) == 5
        torch.testing.assert_close(model.queue.features[:5].norm(dim=1), torch.ones(5))


class TestMining:
    def test_is_off_until_it_is_set_and_is_saved(self):
        model = build(mining=dict(topk=2))
        assert model.mining_active is False
        model.mining_active = True
        assert model.mining_active is True
        other = build(mining=dict(topk=2))
        other.load_state_dict(model.state_dict())
        assert other.mining_active is True

    def test_changes_the_contrast_and_not_the_levels(self):
        model = build(mining=dict(topk=1))
        inputs = batch()
        off = copy.deepcopy(model).loss(inputs)
        model.mining_active = True
        on = model.loss(inputs)
        assert on['loss_contrast'] != off['loss_contrast']
        torch.testing.assert_close(on['loss_level1'], off['loss_level1'])

    def test_begins_after_its_epochs(self):
        model = build(mining=dict(begin=2))
        active = []
        for epoch in range(4):
            model.set_epoch(epoch)
            active.append(model.mining_active)
        assert active == [False, False, True, True]

    def test_restored_by_hand_is_noticed(self):
        model = build(mining=dict(topk=1))
        before = model.state_dict()['_mining_active'].clone()
        model.mining_active = True
        model.state_dict()['_mining_active'].copy_(before)
        assert model.mining_active is False

    def test_without_a_begin_an_epoch_is_an_error(self):
        with pytest.raises(ValueError, match='mining has no begin'):
            build(mining=dict(topk=1)).set_epoch(0)

    def test_without_a_setting_is_an_error(self):
        with pytest.raises(ValueError, match=r'set model.mining=dict\(topk=1\)'):
            build().mining_active = True

    @pytest.mark.parametrize(
        'mining',
        [dict(topk=0), dict(topk=21), dict(topk=1.5), dict(begin=-1), dict(begin=0.5)],
    )
    def test_out_of_range_is_an_error_at_the_start(self, mining):
        ((name, value),) = mining.items()
        with pytest.raises(ValueError, match=f'mining.{name}={value}'):
            build(mining=mining)


class TestEdgePerturbation:
    def test_changes_the_named_level_only_and_the_backbone_not_at_all(self):
        torch.manual_seed(0)
        plain = build(mask_token=False)
        perturbed = build(mask_token=False, graph_augment=dict(drop=0.5, levels=(1,)))
        perturbed.load_state_dict(plain.state_dict())
        before = {
            k: v.clone()
            for k, v in perturbed.backbone.named_buffers()
            if k.endswith('.A')
        }
        x = torch.randn(4, 1, 8, 20, 3)
        for level, equal in ((0, True), (1, False), (2, True)):
            a = plain.embed_query(x, level, 3)
            b = perturbed.embed_query(x, level, 3)
            assert torch.equal(a, b) == equal
        assert before
        for name, value in before.items():
            assert torch.equal(perturbed.backbone.get_buffer(name), value)

    def test_defaults_to_the_strongest_level(self):
        model = build(graph_augment={})
        assert model.edge_perturbation.levels == (-1,)
        assert model.edge_perturbation.drop == 0.1
        assert model.edge_perturbation.add == 0.05

    def test_draws_anew_for_each_layer_and_forward(self):
        model = build(graph_augment=dict(drop=0.9, add=0.0))
        A = model.backbone.gcn[0].gcn.A
        perturb = model.edge_perturbation.perturb
        assert not torch.equal(perturb(A), perturb(A))
        assert len(model.edge_perturbation.names) == 3

    @pytest.mark.parametrize(
        'backbone',
        [
            dict(type='STGCN', num_stages=2, inflate_stages=[], down_stages=[]),
            dict(
                type='STGCN',
                num_stages=2,
                inflate_stages=[],
                down_stages=[],
                gcn_adaptive='init',
                gcn_with_res=True,
                tcn_type='mstcn',
            ),
            dict(
                type='AAGCN',
                num_stages=2,
                inflate_stages=[],
                down_stages=[],
                num_person=1,
            ),
        ],
    )
    def test_serves_mmaction2s_own_backbones(self, backbone):
        model = build(
            backbone=dict(
                backbone,
                graph_cfg=dict(layout='nturgb+d', mode='spatial'),
                base_channels=16,
            ),
            neck=dict(type='SkeletonProjector', in_channels=16, out_channels=6),
            graph_augment=dict(drop=0.3, add=0.1),
        )
        inputs = dict(
            key=torch.randn(3, 1, 8, 25, 3), queries=[torch.randn(3, 1, 8, 25, 3)] * 3
        )
        total(model.loss(inputs)).backward()
        x = inputs['key']
        weak = model.eval().backbone(x)
        strong = model.edge_perturbation(model.backbone, x)
        assert weak.shape == strong.shape
        assert not torch.equal(weak, strong)

    @pytest.mark.parametrize('ratio', [1, -0.1, float('nan')])
    def test_ratio_out_of_range_is_an_error(self, ratio):
        with pytest.raises(ValueError, match=f'graph_augment.drop={ratio} is out of'):
            build(graph_augment=dict(drop=ratio))

    def test_level_that_the_views_lack_is_an_error(self):
        model = build(graph_augment=dict(levels=(3,)))
        with pytest.raises(ValueError, match='graph_augment.levels names level 3'):
            model.loss(batch())


class TestAllStrongAugmentations:
    @pytest.mark.parametrize('mask', [True, False])
    @pytest.mark.parametrize('edges', [True, False])
    @pytest.mark.parametrize('ada_in', [None, 'TV', 'V'])
    def test_train_singly_and_together(self, mask, edges, ada_in):
        model = build(
            graph_augment={} if edges else None,
            data_preprocessor=dict(
                type='SkeletonViewPreprocessor',
                layout='kinect20',
                ada_in=dict(dims=ada_in) if ada_in else None,
            ),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(3):
            data = model.data_preprocessor(
                dict(inputs=batch(masked=mask)), training=True
            )
            loss = total(model.loss(data['inputs']))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert torch.isfinite(loss)


class TestFeatures:
    def test_predict_and_tensor_give_pooled_backbone_features(self):
        model = build().eval()
        x = torch.randn(3, 2, 8, 20, 3)
        expected = model.backbone(x).mean((-2, -1)).mean(1)
        assert torch.equal(model(x, mode='predict'), expected)
        assert torch.equal(model(x, mode='tensor'), expected)
        assert expected.shape == (3, 8)
        assert torch.equal(pool_skeleton(model.backbone(x)), expected)

    def test_train_step_of_mmengine_runs(self):
        from mmengine.optim import OptimWrapper

        model = build()
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.05))
        before = model.neck.mlp[0].weight.detach().clone()
        log = model.train_step(dict(inputs=batch(), data_samples=None), wrapper)
        parts = log['loss_contrast'] + log['loss_level1'] + log['loss_level2']
        torch.testing.assert_close(log['loss'], parts)
        assert 'feature_spread' in log
        assert not torch.equal(model.neck.mlp[0].weight, before)

    def test_neck_of_another_width_names_both(self):
        model = build(
            neck=dict(type='SkeletonProjector', in_channels=16, out_channels=6)
        )
        with pytest.raises(
            ValueError, match='neck.in_channels=16, but the backbone gives 8'
        ):
            model.loss(batch())

    def test_state_survives_a_round_trip(self):
        model = build(mining=dict(topk=1))
        train(model, 3)
        model.mining_active = True
        other = build(mining=dict(topk=1))
        other.load_state_dict(model.state_dict())
        inputs = batch()
        a, b = model.loss(inputs), other.loss(inputs)
        for name in a:
            assert torch.equal(a[name], b[name]), name
        assert torch.equal(model.queue.features, other.queue.features)
