"""Console output of a run; the log file has everything."""

from __future__ import annotations

import logging
from pathlib import Path

from rich.console import Console
from rich.text import Text

CONSOLE = Console()
# `extra` of a record that goes to the log file only.
FILE_ONLY = dict(file_only=True)
_PACKAGE = str(Path(__file__).resolve().parents[1])
# Warnings of MMEngine on which a user cannot act.
_OF_NO_CONCERN = ('deprecated', 'The prefix is not set in metric class')
_OPENMMLAB = ('mmengine', 'mmaction', 'mmcv')


def quieten(logger: logging.Logger) -> None:
    """Let a logger of MMEngine print only messages that concern the user.

    These are messages of this package and of the user's code, and warnings of OpenMMLab's
    packages, except those on which a user cannot act. The log file gets all messages.
    """
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(_Stream())
            handler.setFormatter(_Formatter())
            handler.addFilter(_is_for_a_person)


def _is_for_a_person(record: logging.LogRecord) -> bool:
    if hasattr(record, 'file_only'):
        return False
    folders = Path(record.pathname).parts
    theirs = any(name in folders for name in _OPENMMLAB)
    if record.pathname.startswith(_PACKAGE) or not theirs:
        return True
    message = record.getMessage()
    noise = any(words in message for words in _OF_NO_CONCERN)
    return record.levelno >= logging.WARNING and not noise


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        kind = '' if record.levelno < logging.WARNING else f'{record.levelname}: '
        return f'{kind}{super().format(record)}'


class _Stream:
    """Writes above the progress bar, if there is one."""

    def write(self, text: str) -> None:
        CONSOLE.print(Text(text), end='', soft_wrap=True)

    def flush(self) -> None:
        CONSOLE.file.flush()
