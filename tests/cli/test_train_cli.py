import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from helpers.paths import ROOT
from helpers.process import free_port
from mmengine.config import Config

from hiclr_mmaction.checkpoint import load_file
from hiclr_mmaction.cli.common import settle
from hiclr_mmaction.evaluation.protocol import read_config
from hiclr_mmaction.zoo import DEFAULT, weights_path

NTU60 = str(ROOT / 'configs' / 'hiclr_stgcn_ntu60.py')


def merged(load_tool, config, *args, **extra):
    """The config as train.py would hand it to the runner."""
    train = load_tool('train')
    cfg = read_config(config)
    cfg.merge_from_dict(extra)
    train.merge_args(cfg, train.parse_args([str(config), *args]))
    return cfg


def logs(folder):
    return ''.join(path.read_text() for path in folder.glob('*/*.log'))


class TestMerging:
    def test_work_dir_defaults_to_the_name_of_the_config(self, load_tool, tiny_config):
        assert merged(load_tool, tiny_config).work_dir == './work_dirs/tiny'

    def test_work_dir_of_the_config_wins_over_its_name(self, load_tool, tiny_config):
        cfg = merged(load_tool, tiny_config, work_dir='from_config')
        assert cfg.work_dir == 'from_config'

    def test_work_dir_option_wins_over_the_config(self, load_tool, tiny_config):
        args = ('--work-dir', 'from_option')
        cfg = merged(load_tool, tiny_config, *args, work_dir='from_config')
        assert cfg.work_dir == 'from_option'

    def test_seed_option_wins_over_the_config(self, load_tool, tiny_config):
        assert merged(load_tool, tiny_config).randomness.seed == 1
        assert merged(load_tool, tiny_config, '--seed', '7').randomness.seed == 7
        # 0 is a seed like any other
        assert merged(load_tool, tiny_config, '--seed', '0').randomness.seed == 0

    def test_randomness_options_keep_the_seed_of_the_config(
        self, load_tool, tiny_config
    ):
        cfg = merged(load_tool, tiny_config, '--deterministic', '--diff-rank-seed')
        assert cfg.randomness == dict(seed=1, deterministic=True, diff_rank_seed=True)

    def test_cfg_options_win_over_every_other_option(self, load_tool, tiny_config):
        cfg = merged(
            load_tool,
            tiny_config,
            '--seed',
            '7',
            '--work-dir',
            'a',
            '--cfg-options',
            'randomness.seed=9',
            'work_dir=b',
            'train_cfg.max_epochs=5',
        )
        assert cfg.randomness.seed == 9
        assert cfg.work_dir == 'b'
        assert cfg.train_cfg.max_epochs == 5

    def test_no_validate_takes_validation_out(self, load_tool, tiny_config):
        cfg = merged(load_tool, tiny_config, '--no-validate')
        assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
        assert cfg.test_dataloader is not None

    def test_auto_scale_lr_is_switched_on(self, load_tool, tiny_config):
        cfg = merged(
            load_tool,
            tiny_config,
            '--auto-scale-lr',
            auto_scale_lr=dict(enable=False, base_batch_size=128),
        )
        assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=128)

    def test_auto_scale_lr_without_a_base_batch_size_is_refused(
        self, load_tool, tiny_config
    ):
        with pytest.raises(SystemExit, match='base_batch_size'):
            merged(load_tool, tiny_config, '--auto-scale-lr')

    def test_amp_switches_the_wrapper_or_asks_for_a_gpu(self, load_tool, tiny_config):
        if torch.cuda.is_available():
            cfg = merged(load_tool, tiny_config, '--amp')
            assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
            assert cfg.optim_wrapper.loss_scale == 'dynamic'
        else:
            with pytest.raises(SystemExit, match='--amp float16 needs a GPU'):
                merged(load_tool, tiny_config, '--amp')

    def test_amp_in_bfloat16_needs_no_gpu(self, load_tool, tiny_config):
        cfg = merged(load_tool, tiny_config, '--amp', 'bfloat16')
        assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'

    def test_amp_leaves_other_wrappers_alone(self, load_tool, tiny_config):
        other = {'optim_wrapper.type': 'ApexOptimWrapper'}
        with pytest.raises(SystemExit, match="type='ApexOptimWrapper'"):
            merged(load_tool, tiny_config, '--amp', 'bfloat16', **other)

    def test_both_spellings_of_local_rank_are_known(self, load_tool, tiny_config):
        parse = load_tool('train').parse_args
        for spelling in ('--local_rank', '--local-rank'):
            assert parse([str(tiny_config), f'{spelling}=3']).local_rank == 3


class TestResume:
    def test_a_run_is_continued(self, run_tool, tiny_config, tmp_path):
        run_tool('train', tiny_config, '--work-dir', tmp_path / 'run')
        run_tool(
            'train',
            tiny_config,
            '--work-dir',
            tmp_path / 'run',
            '--resume',
            '--cfg-options',
            'train_cfg.max_epochs=2',
        )
        assert (tmp_path / 'run' / 'epoch_2.pth').exists()
        assert 'resumed epoch: 1, iter: 4' in logs(tmp_path / 'run')

    def test_an_empty_folder_starts_afresh_and_says_so(
        self, run_tool, tiny_config, tmp_path
    ):
        run_tool('train', tiny_config, '--work-dir', tmp_path / 'run', '--resume')
        assert (tmp_path / 'run' / 'epoch_1.pth').exists()
        assert 'found no checkpoint in' in logs(tmp_path / 'run')

    def test_starting_afresh_keeps_the_weights_that_the_config_loads(
        self, load_tool, tiny_config
    ):
        cfg = merged(load_tool, tiny_config, '--resume', load_from='pretrained.pth')
        assert cfg.load_from == 'pretrained.pth'
        assert not cfg.resume

    def test_auto_looks_where_cfg_options_put_the_run(
        self, load_tool, tiny_config, tmp_path
    ):
        folder = tmp_path / 'elsewhere'
        folder.mkdir()
        torch.save({}, folder / 'epoch_3.pth')
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_3.pth'))
        options = ('--resume', '--cfg-options', f'work_dir={folder}')
        cfg = merged(load_tool, tiny_config, *options)
        assert cfg.resume
        assert cfg.load_from == str(folder / 'epoch_3.pth')

    def test_a_config_that_resumes_looks_for_whole_checkpoints_too(
        self, load_tool, tiny_config, tmp_path
    ):
        torch.save({}, tmp_path / 'epoch_1.pth')
        (tmp_path / 'last_checkpoint').write_text('epoch_2.pth')
        options = dict(resume=True, work_dir=str(tmp_path))
        cfg = merged(load_tool, tiny_config, **options)
        assert cfg.load_from == str(tmp_path / 'epoch_1.pth')

    def test_a_folder_of_damaged_checkpoints_is_an_error(
        self, load_tool, tiny_config, tmp_path
    ):
        (tmp_path / 'epoch_1.pth').write_bytes(b'half')
        options = ('--resume', '--work-dir', str(tmp_path))
        with pytest.raises(SystemExit, match=r'No checkpoint in .*epoch_1.pth cannot'):
            merged(load_tool, tiny_config, *options)

    def test_a_missing_checkpoint_is_named(self, load_tool, tiny_config):
        with pytest.raises(SystemExit, match='not found: nowhere.pth'):
            merged(load_tool, tiny_config, '--resume', 'nowhere.pth')


class TestErrors:
    def test_a_bad_setting_ends_with_its_message(self, run_script, tiny_config):
        options = ('--cfg-options', 'train_dataloader.dataset.length=0')
        result = run_script('train.py', tiny_config, *options)
        assert result.returncode == 1
        (line,) = result.stderr.splitlines()
        assert line == 'length=0 is not a positive number of samples'


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == 'win32', reason='the scripts are for bash')
class TestDistributed:
    def test_two_processes_train_test_and_resume(
        self, run_script, tiny_config, tmp_path
    ):
        folder = tmp_path / 'a run'  # with a space, for the quoting
        args = (tiny_config, 2, '--work-dir', folder)
        # These processes share what GPUs there are; here only the CPU counts.
        env = dict(CUDA_VISIBLE_DEVICES='', PORT=free_port())
        result = run_script('dist_train.sh', *args, **env)
        assert result.returncode == 0, result.stderr
        # 8 samples, 2 processes, batches of 2
        checkpoint = folder / 'epoch_1.pth'
        assert load_file(checkpoint)['meta']['iter'] == 2

        more = ('--resume', '--cfg-options', 'train_cfg.max_epochs=2')
        env['PORT'] = free_port()
        result = run_script('dist_train.sh', *args, *more, **env)
        assert result.returncode == 0, result.stderr
        assert 'resumed epoch: 1, iter: 2' in logs(folder)

        env['PORT'] = free_port()
        result = run_script('dist_test.sh', tiny_config, checkpoint, 2, **env)
        assert result.returncode == 0, result.stderr
        assert re.search(r'^mean +\d', result.stdout, re.M)

    @pytest.mark.parametrize('own_rendezvous', [False, True])
    def test_two_machines_train_together(
        self, run_script, tiny_config, tmp_path, own_rendezvous
    ):
        """Both on this machine, one process each."""
        folder = tmp_path / 'run'
        port = free_port()

        def machine(rank):
            env = dict(CUDA_VISIBLE_DEVICES='', NNODES='2')
            if own_rendezvous:
                env.update(RDZV_ENDPOINT=f'127.0.0.1:{port}', RDZV_ID=folder.name)
            else:
                env.update(NODE_RANK=str(rank), MASTER_ADDR='127.0.0.1', PORT=port)
            args = (tiny_config, 1, '--work-dir', folder)
            return run_script('dist_train.sh', *args, **env)

        with ThreadPoolExecutor() as pool:
            for result in pool.map(machine, range(2)):
                assert result.returncode == 0, result.stderr
        # 8 samples, 2 processes, batches of 2
        assert load_file(folder / 'epoch_1.pth')['meta']['iter'] == 2

    def test_a_failing_process_fails_the_script(self, run_script, tiny_config):
        env = dict(CUDA_VISIBLE_DEVICES='', PORT=free_port())
        options = ('--cfg-options', 'train_dataloader.dataset.length=0')
        result = run_script('dist_train.sh', tiny_config, 2, *options, **env)
        assert result.returncode != 0
        assert 'length=0 is not a positive number' in result.stderr


class TestLearningRate:
    @pytest.mark.parametrize(('accumulated', 'factor'), [(1, 0.5), (4, 2.0)])
    def test_is_scaled_by_all_clips_of_a_step(
        self, run_tool, tiny_config, tmp_path, accumulated, factor
    ):
        with tiny_config.open('a') as file:
            file.write('auto_scale_lr = dict(enable=False, base_batch_size=4)')
        run_tool(
            'train', tiny_config, '--auto-scale-lr', '--work-dir', tmp_path / 'run',
            '--cfg-options', f'optim_wrapper.accumulative_counts={accumulated}',
        )  # fmt: skip
        saved = load_file(tmp_path / 'run' / 'epoch_1.pth')
        assert saved['optimizer']['param_groups'][0]['lr'] == 0.001 * factor


class TestSplitOption:
    """One option chooses the protocol of training, bank and queries."""

    def splits(self, load_tool, *options):
        cfg = merged(load_tool, NTU60, '--cfg-options', *options)
        return [
            cfg.train_dataloader.dataset.split,
            *(d.split for d in cfg.val_dataloader.dataset.datasets),
            *(d.split for d in cfg.test_dataloader.dataset.datasets),
        ]

    def test_validation_follows_the_training_split(self, load_tool):
        splits = self.splits(load_tool, 'train_dataloader.dataset.split=xview_train')
        train, val = 'xview_train', 'xview_val'
        assert splits == [train, train, val, train, val]

    def test_a_wrapped_training_set_is_given_it(self, load_tool):
        semi = str(ROOT / 'configs' / 'hiclr_stgcn_ntu60_semi.py')
        option = 'train_dataloader.dataset.split=xview_train'
        cfg = merged(load_tool, semi, '--cfg-options', option)
        wrapper = cfg.train_dataloader.dataset
        assert (wrapper.type, wrapper.dataset.split) == (
            'LabelledFraction',
            'xview_train',
        )
        assert 'split' not in wrapper
        assert cfg.val_dataloader.dataset.split == 'xview_val'

    def test_validation_keeps_a_split_of_its_own(self, load_tool):
        splits = self.splits(
            load_tool,
            'train_dataloader.dataset.split=xview_train',
            'val_dataloader.dataset.datasets.1.split=xsub_train',
        )
        assert splits[:3] == ['xview_train', 'xsub_train', 'xsub_train']

    def test_other_options_change_no_split(self, load_tool):
        splits = self.splits(load_tool, 'model.queue_size=64')
        train, val = 'xsub_train', 'xsub_val'
        assert splits == [train, train, val, train, val]


@pytest.mark.parametrize(
    ('script', 'args', 'env', 'name'),
    [
        *(
            ('dist_train.sh', ['config.py', number], {}, 'NUM_PROCESSES')
            for number in ('0', 'abc', '1.5', '-1', '', '9' * 20, 'PATH[$(touch x)]1')
        ),
        ('dist_test.sh', ['config.py', 'a.pth', 'b'], {}, 'NUM_PROCESSES'),
        ('dist_train.sh', ['config.py', '1'], dict(NNODES='x'), 'NNODES'),
        ('slurm_train.sh', ['p', 'j', 'config.py'], dict(GPUS='0'), 'GPUS'),
        (
            'slurm_test.sh',
            ['p', 'j', 'config.py', 'a.pth'],
            dict(GPUS_PER_NODE='PATH[$(touch x)]'),
            'GPUS_PER_NODE',
        ),
    ],
)
def test_number_of_processes_is_checked_before_it_is_used(
    script, args, env, name, run_script, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = run_script(script, *args, **env)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f'{name}=')
    assert 'is not a whole number of' in line
    assert not list(tmp_path.iterdir())  # nothing was run


def test_pretrained_weights_may_be_an_encoder_of_the_zoo():
    weights = dict(type='Pretrained', checkpoint=DEFAULT, prefix='backbone.')
    cfg = Config(dict(model=dict(backbone=dict(init_cfg=weights))))
    settle(cfg, {})
    assert cfg.model.backbone.init_cfg.checkpoint == str(weights_path())
