"""Damaged copies of files."""

from __future__ import annotations

import re

import numpy as np

_ODD = (
    b'', b'-', b'nan', b'-inf', b'1e400', b'-1', b'0', b'999999999', b'1e-320', b'0x1f',
    b'1_0', b'1,5', b'9' * 400, b'\xff\xfe', b'\x00', b'{', b'}', b'[]', b'null', b'"',
)  # fmt: skip


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Make one to three changes: to bytes, numbers, lines, or the end of the file."""
    for _ in range(rng.integers(1, 4)):
        data = _CHANGES[rng.integers(len(_CHANGES))](data, rng)
    return data


def _span(length: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(length + 1))
    return slice(start, start + int(rng.integers(1, 1 + max(length // 4, 1))))


def _change_byte(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data or b' ')
    out[rng.integers(len(out))] = rng.integers(256)
    return bytes(out)


def _change_token(data: bytes, rng: np.random.Generator) -> bytes:
    tokens = list(re.finditer(rb'[^\s,:{}()\[\]]+', data))
    if not tokens:
        return data
    # The first ones are counts and headers, which are few among the numbers.
    last = len(tokens) if rng.random() < 0.5 else min(len(tokens), 40)
    token = tokens[rng.integers(last)]
    return data[: token.start()] + _ODD[rng.integers(len(_ODD))] + data[token.end() :]


def _remove(data: bytes, rng: np.random.Generator) -> bytes:
    span = _span(len(data), rng)
    return data[: span.start] + data[span.stop :]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    span = _span(len(data), rng)
    return data[: span.stop] + data[span] + data[span.stop :]


def _truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data) + 1)]


def _change_line(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b'\n')
    first, second = rng.integers(len(lines), size=2)
    match rng.integers(3):
        case 0:
            del lines[first]
        case 1:
            lines.insert(second, lines[first])
        case _:
            lines[first], lines[second] = lines[second], lines[first]
    return b'\n'.join(lines)


_CHANGES = (
    _change_byte, _change_token, _change_token, _remove, _repeat, _truncate,
    _change_line, _change_line,
)  # fmt: skip
