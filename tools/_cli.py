"""What `train.py` and `test.py` have in common."""

import argparse
import os
import os.path as osp
import sys

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from hiclr_mmaction.compat import prepare_cpu_launch


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both programs take."""
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results; default: the work_dir of the '
        'config, or else ./work_dirs/<name of the config>',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings of the config to replace, such as '
        'model.queue_size=256 train_cfg.max_epochs=10; a list is written key="[a,b]" '
        'or key=a,b. They win over the config and over every other option',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed run (default: none)',
    )
    # torch.distributed.launch passes it; torchrun sets LOCAL_RANK instead.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def load_config(path: str) -> Config:
    """Read a config, or end the program with a line that names it."""
    require_file(path, 'config')
    return Config.fromfile(path)


def require_file(path: str, what: str) -> None:
    """End the program with one line unless `path` is a file or an address."""
    if '://' not in path and not osp.isfile(path):
        sys.exit(f'{what} not found: {path}')


def merge_common(cfg: Config, args: argparse.Namespace) -> None:
    """Put launcher, work folder and, last of all, `--cfg-options` into the config.

    Call it after the program's own options, so that `--cfg-options` wins.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg.launcher = args.launcher
    cfg.work_dir = work_dir(cfg, args)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
        follow_split(cfg, args.cfg_options)


def follow_split(cfg: Config, options: dict) -> None:
    """Let validation and test follow a training split given as the only one.

    With `train_dataloader.dataset.split=xview_train` alone, a k-NN on `xsub_val`
    would classify clips that were trained on: `xsub_*` becomes `xview_*` there. Within
    a wrapper such as `LabelledFraction` the split goes to the data set that it wraps.
    """
    split = options.get('train_dataloader.dataset.split', '')
    train = cfg.get('train_dataloader', {}).get('dataset', {})
    if split and ('dataset' in train or 'datasets' in train):
        for dataset in _datasets(train):
            dataset['split'] = train['split']
        del train['split']
    others = ('val_dataloader', 'test_dataloader')
    if not split.endswith('_train') or any(key.startswith(others) for key in options):
        return
    protocol = split.removesuffix('_train')
    for loader in others:
        for dataset in _datasets((cfg.get(loader) or {}).get('dataset')):
            if dataset.get('split'):
                part = dataset['split'].rpartition('_')[2]
                dataset['split'] = f'{protocol}_{part}'


def _datasets(cfg):
    """The innermost data set configs of a wrapped or concatenated one."""
    if not cfg:
        return
    inner = cfg.get('datasets') or [cfg.get('dataset')]
    if inner == [None]:
        yield cfg
    else:
        for part in inner:
            yield from _datasets(part)


def work_dir(cfg: Config, args: argparse.Namespace) -> str:
    """The folder of this run: option before config before the config's name."""
    chosen = (args.cfg_options or {}).get('work_dir') or args.work_dir
    name = osp.splitext(osp.basename(args.config))[0]
    return chosen or cfg.get('work_dir') or osp.join('./work_dirs', name)


def build_runner(cfg: Config) -> Runner:
    """Build the runner that the config asks for, on a GPU or a CPU."""
    prepare_cpu_launch(cfg)
    if 'runner_type' in cfg:
        from mmaction.registry import RUNNERS

        return RUNNERS.build(cfg)
    return Runner.from_cfg(cfg)
