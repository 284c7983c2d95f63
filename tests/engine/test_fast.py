"""What the fast config is made of, on a machine without a GPU too."""

import platform
from pathlib import Path

import pytest
import torch
from helpers.configs import synthetic_config
from mmaction.registry import DATASETS, HOOKS, MODELS, OPTIM_WRAPPERS
from mmengine.logging import MMLogger
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

ON_GPU = torch.cuda.is_available()


def synthetic(*transforms):
    align = dict(type='SkeletonAlign', layout='nturgb+d', num_frames=8, num_person=1)
    return dict(
        type='SyntheticSkeletons',
        actions=['wave', 'squat'],
        num_subjects=4,
        num_val_subjects=1,
        clips_per_action=2,
        pipeline=[align, *transforms, dict(type='PackSkeletonViews')],
    )


class TestResidentClips:
    def build(self, dataset=None):
        cfg = dict(type='ResidentClips', dataset=dataset or synthetic())
        return DATASETS.build(cfg)

    def test_gives_the_clips_and_labels_of_its_data_set_in_batches(self):
        source, resident = DATASETS.build(synthetic()), self.build()
        assert len(resident) == len(source)
        collate = FUNCTIONS.get('resident_collate')
        batches = list(DataLoader(resident, 3, collate_fn=collate))
        clips = torch.cat([batch['inputs'] for batch in batches]).cpu()
        assert torch.equal(clips, torch.stack([s['inputs'] for s in source]))
        samples = [s for batch in batches for s in batch['data_samples']]
        assert [s.gt_label.item() for s in samples] == [
            s['data_samples'].gt_label.item() for s in source
        ]

    @pytest.mark.skipif(ON_GPU, reason='the clips go to the GPU')
    def test_workers_read_the_same_memory(self):
        resident = self.build()
        assert resident.clips.is_shared()
        collate = FUNCTIONS.get('resident_collate')
        for batch in DataLoader(resident, 3, collate_fn=collate, num_workers=1):
            assert batch['inputs'].shape[1:] == (1, 8, 25, 3)

    def test_views_of_the_pipeline_are_an_error(self):
        growing = dict(type='GrowingAugmentation', levels=[[]])
        with pytest.raises(ValueError, match='GrowingAugmentation'):
            self.build(synthetic(growing))

    def test_an_unknown_device_is_an_error(self):
        with pytest.raises(ValueError, match="device='tpu'"):
            DATASETS.build(dict(type='ResidentClips', dataset={}, device='tpu'))


def test_interval_info_hook_logs_every_step_as_the_stock_hook_does(tmp_path):
    histories = []
    for number, hook in enumerate(('RuntimeInfoHook', 'IntervalInfoHook')):
        cfg = synthetic_config(tmp_path / str(number))
        cfg.default_hooks.runtime_info = dict(type=hook)
        if hook == 'IntervalInfoHook':
            cfg.default_hooks.runtime_info.interval = 2
        runner = Runner.from_cfg(cfg)
        runner.train()
        scalars = runner.message_hub.log_scalars
        histories.append({k: v.data for k, v in scalars.items() if 'loss' in k})
    stock, ours = histories
    assert stock.keys() == ours.keys()
    for name, (values, counts) in stock.items():
        assert len(values) == 3, name
        assert values == pytest.approx(ours[name][0], rel=1e-6)
        assert (counts == ours[name][1]).all()


def test_interval_below_one_is_an_error():
    with pytest.raises(ValueError, match='interval=0'):
        HOOKS.build(dict(type='IntervalInfoHook', interval=0))


def test_bfloat16_is_turned_off_by_option_and_the_log_does_not_complain(caplog):
    linear = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    cfg = dict(type='BFloat16OptimWrapper', optimizer=optimizer)
    for enabled, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        wrapper = OPTIM_WRAPPERS.build(dict(cfg, enabled=enabled))
        with wrapper.optim_context(linear), torch.no_grad():
            device = 'cuda' if ON_GPU else 'cpu'
            assert linear.to(device)(torch.ones(1, 2, device=device)).dtype == dtype
    assert 'there is no GPU' not in caplog.text


@pytest.mark.skipif(ON_GPU, reason='on a GPU the CPU does not matter')
def test_bfloat16_on_a_cpu_without_it_is_said_to_be_slow(caplog):
    flags = Path('/proc/cpuinfo')
    if not flags.exists() or platform.machine() != 'x86_64':
        pytest.skip('/proc/cpuinfo of an x86 tells what the CPU has')
    MMLogger.get_current_instance().addHandler(caplog.handler)
    has = any(f in flags.read_text() for f in ('avx512_bf16', 'amx_tile'))
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1)
    cfg = dict(type='BFloat16OptimWrapper', optimizer=optimizer)
    OPTIM_WRAPPERS.build(dict(cfg, enabled=False))
    assert 'no instructions for bfloat16' not in caplog.text
    OPTIM_WRAPPERS.build(cfg)
    assert ('no instructions for bfloat16' in caplog.text) is not has


@pytest.mark.skipif(ON_GPU, reason='says what is off without a GPU')
def test_without_a_gpu_precision_and_compilation_stay_and_the_log_says_so(caplog):
    linear = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='BFloat16OptimWrapper', on_cpu=False, optimizer=optimizer)
    )
    with wrapper.optim_context(linear):
        assert linear(torch.ones(1, 2)).dtype == torch.float32
    backbone = dict(type='DSTANet', stages=[[4, 6, 4, 2]])
    neck = dict(type='SkeletonProjector', in_channels=6, out_channels=4)
    head = dict(type='HierarchicalContrastHead')
    model = MODELS.build(
        dict(type='HiCLR', backbone=backbone, neck=neck, head=head, queue_size=8)
    )
    HOOKS.build(dict(type='AccelerationHook')).accelerate(model, torch.device('cpu'))
    assert model.backbone._compiled_call_impl is None
    assert torch.get_float32_matmul_precision() == 'highest'
