"""Another project names our parts in its own configs, with the wheel installed."""

import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from helpers.paths import ROOT

from hiclr_mmaction.checkpoint import load_file

PROJECT = ROOT / 'tests' / 'other_project'
# What is needed to build the package, and no more.
SOURCES = (
    'hiclr_mmaction', 'configs', 'tools', 'model-index.yml', 'requirements',
    'setup.py', 'setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'LICENSE', 'NOTICE',
    'README.md',
)  # fmt: skip

pytestmark = pytest.mark.slow


def run(command, **env):
    """Run a program in its own folder; what it prints."""
    cwd = env.pop('cwd', None)
    kept = {
        k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'LOCAL_RANK')
    }
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(kept, OMP_NUM_THREADS='1', **env),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    return result.stdout


@pytest.fixture
def project(tmp_path):
    """A copy of the project with data of its own, far from the checkout."""
    folder = tmp_path / 'project'
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns('__pycache__'))
    rng = np.random.default_rng(0)
    clips = [
        dict(
            frame_dir=f'clip{i}',
            label=i % 2,
            total_frames=20,
            keypoint=rng.normal(size=(1 + i % 2, 20, 25, 3)).astype(np.float32),
        )
        for i in range(12)
    ]
    names = [clip['frame_dir'] for clip in clips]
    split = dict(train=names[:8], val=names[8:])
    poses = pickle.dumps(dict(split=split, annotations=clips))
    (folder / 'data').mkdir()
    (folder / 'data' / 'poses.pkl').write_bytes(poses)
    return folder


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built from the source distribution."""
    folder = tmp_path_factory.mktemp('build')
    source = folder / 'source'
    source.mkdir()
    unwanted = shutil.ignore_patterns('__pycache__', '*.egg-info')
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=unwanted)
        else:
            shutil.copy(path, source)
    build = 'from setuptools.build_meta import build_sdist; build_sdist("../dist")'
    run([sys.executable, '-c', build], cwd=source)
    (sdist,) = (folder / 'dist').glob('*.tar.gz')
    options = ['--no-deps', '--no-build-isolation', '--no-index', '-q']
    run([sys.executable, '-m', 'pip', 'wheel', *options, '-w', folder, sdist])
    (path,) = folder.glob('hiclr_mmaction-*.whl')
    return path


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """Python of an environment that holds the wheel and not the checkout."""
    folder = tmp_path_factory.mktemp('env')
    venv.create(folder, with_pip=True)
    python = folder / 'bin' / 'python'
    purelib = Path(sysconfig.get_path('purelib', vars=dict(base=str(folder))))
    # The dependencies are those of this environment. Its own .pth files, through which
    # an editable install would lead back to the checkout, aren't read from there.
    dependencies = sysconfig.get_path('purelib')
    (purelib / 'dependencies.pth').write_text(f'{dependencies}\n')
    options = ['--no-deps', '--no-index', '--ignore-installed', '-q']
    run([python, '-m', 'pip', 'install', *options, wheel])
    where = run(
        [python, '-c', 'import hiclr_mmaction as h; print(h.__file__)'], cwd=folder
    )
    assert Path(where.strip()).is_relative_to(purelib)
    return python


def train(python, script, project, name, *args, epoch=1, **env):
    """Run a config of the project; its last checkpoint."""
    work_dir = project / 'work' / name
    config = project / 'configs' / f'{name}.py'
    args = [work_dir] if script.parent == project else ['--work-dir', work_dir, *args]
    run([python, script, config, *args], cwd=project, **env)
    return work_dir / f'epoch_{epoch}.pth'


def pretrain(python, script, project):
    """Pre-train and validate; the checkpoint."""
    pretrained = train(python, script, project, 'pretrain')
    logs = pretrained.parent.glob('*/vis_data/scalars.json')
    assert any('knn/k1' in path.read_text() for path in logs)
    return pretrained


def check_project(python, script, project):
    """Pre-train, take the weights into the project's recognizer, and resume."""
    pretrained = pretrain(python, script, project)
    env = dict(OTHER_PROJECT_CHECKPOINT=str(pretrained))
    finetuned = train(python, script, project, 'finetune', **env)
    before, after = (load_file(path)['state_dict'] for path in (pretrained, finetuned))
    names = [n for n in after if n.startswith('backbone.') and 'running' not in n]
    names = [n for n in names if 'num_batches' not in n]
    assert len(names) > 20
    for name in names:
        assert torch.equal(after[name], before[name]), name
    resumed = load_file(train(python, script, project, 'resume', epoch=2, **env))
    assert resumed['meta']['epoch'] == 2
    assert resumed['meta']['iter'] == 2 * load_file(pretrained)['meta']['iter']


def test_project_runs(installed, project):
    check_project(installed, project / 'train.py', project)


def test_project_runs_by_mmaction2s_train_script(installed, project):
    """What ``mim train mmaction CONFIG`` starts."""
    import mmaction

    script = Path(mmaction.__file__).parent / '.mim' / 'tools' / 'train.py'
    if not script.is_file():
        pytest.skip('this mmaction2 comes without .mim')
    pretrain(installed, script, project)


def test_wheel_holds_what_mim_looks_for(wheel, installed, project):
    """What ``mim train hiclr_mmaction CONFIG`` and ``mim search`` read."""
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if '.pyc' in name]
    where = run(
        [installed, '-c', 'import hiclr_mmaction as h; print(h.__file__)'], cwd=project
    )
    mim = Path(where.strip()).parent / '.mim'
    assert not mim.is_symlink()
    index = yaml.safe_load((mim / 'model-index.yml').read_text())
    for metafile in index['Import']:
        models = yaml.safe_load((mim / metafile).read_text())['Models']
        assert all((mim / model['Config']).is_file() for model in models)
    pretrain(installed, mim / 'tools' / 'train.py', project)
    config = mim / 'configs' / 'hiclr_stgcn_synthetic.py'
    load = 'import sys; from mmengine import Config; Config.fromfile(sys.argv[1])'
    run([installed, '-c', load, config], cwd=project)
