"""The protocols of a pre-training: one shared config each, made for any encoder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from ..compat import read_unformatted
from .data_settings import follow, former_values

PROTOCOLS = ('linear', 'finetune', 'semi', 'supervised')
VARIABLE = 'HICLR_PRETRAINING'


def configs_folder() -> Path:
    """The folder `configs/` of the checkout or, in an installed wheel, the copy of it."""
    package = Path(__file__).resolve().parents[1]
    installed = package / '.mim' / 'configs'
    return installed if installed.is_dir() else package.parent / 'configs'


def split_protocol(path: str | Path) -> tuple[Path, str] | None:
    """The pre-training and the protocol that `X_linear.py` stands for, or None."""
    path = Path(path)
    stem, _, protocol = path.stem.rpartition('_')
    pretraining = path.with_name(f'{stem}{path.suffix}')
    if protocol in PROTOCOLS and pretraining.is_file():
        return pretraining, protocol
    return None


def read_config(path: str | Path) -> Config:
    """Read a config file, or make the config of a protocol.

    If `X.py` exists, the names `X_linear.py`, `X_finetune.py`, `X_semi.py` and
    `X_supervised.py` need no file: they apply `_base_/protocols/` to the encoder and the
    data of `X.py`, with its setting `protocols`. A file with such a name takes precedence.

    The top-level settings `ann_file`, `layout`, `num_person` and `num_classes` apply to the
    full config, including its bases. For those that are None see :func:`fill_from_file`.

    Args:
        path (str | Path): Of the config.

    Raises:
        FileNotFoundError: If there is no such file; the message says where a config of
            this name is.
    """
    path = Path(path)
    if path.is_file():
        cfg = read_unformatted(path)
        follow(cfg, former_values(path))
        return cfg
    found = split_protocol(path)
    if found is None:
        moved = find_config(path.name)
        hint = ''
        if moved is not None:
            shown = moved.relative_to(configs_folder().parent).as_posix()
            hint = f'; did you mean {shown}?'
        raise FileNotFoundError(f'config not found: {path}{hint}')
    pretraining, protocol = found
    with _pretraining(pretraining):
        cfg = read_unformatted(_shared(pretraining, protocol))
    cfg.merge_from_dict(cfg.get('protocols', {}).get(protocol, {}))
    cfg.pop('protocols', None)
    former = former_values(pretraining)
    # A part of a protocol that leaves its layout open takes that of the data.
    former['layout'].append(None)
    follow(cfg, former)
    return Config(
        cfg.to_dict(),
        cfg_text=cfg.text,
        filename=str(path),
        format_python_code=False,
    )


def _shared(pretraining: Path, protocol: str) -> Path:
    """The config of all pre-trainings: of the same folder of configs, if it has one."""
    for folder in (*pretraining.resolve().parents, configs_folder()):
        path = folder / '_base_' / 'protocols' / f'{protocol}.py'
        if path.is_file():
            break
    return path


@contextmanager
def _pretraining(path: Path) -> Iterator[None]:
    """Let the shared configs be based on this one."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = path.resolve().as_posix()
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def find_config(name: str) -> Path | None:
    """Where this project has the config `name`, such as `'hiclr_stgcn_msr_linear.py'`."""
    for folder in sorted({path.parent for path in configs_folder().rglob('*.py')}):
        path = folder / name
        if path.is_file() or split_protocol(path):
            return path
    return None
