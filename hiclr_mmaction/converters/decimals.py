"""Many decimal numbers in a text at once."""

from __future__ import annotations

import numpy as np

# Up to 15 digits a whole number is exact in a double, so that one division by a power
# of ten, exact up to 10**22, rounds as float() does.
_MAX_DIGITS = 15
_POWERS = 10.0 ** np.arange(_MAX_DIGITS + 1)


def parse_decimals(text: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """The numbers that stand in a text, as ``float`` reads them.

    Plain numbers such as ``-0.21`` are read all at once, column by column of their
    digits; those with an exponent or more than 15 digits, which are rare in recordings,
    one by one.

    Args:
        text (np.ndarray): The bytes of the text, uint8.
        start (np.ndarray): Where each number starts.
        stop (np.ndarray): Where the first byte after each number is.

    Returns:
        np.ndarray: float64, one for each start.

    Raises:
        ValueError: If what stands there is no number.
    """
    if not len(start):
        return np.empty(0)
    negative = text[start] == ord('-')
    length = stop - start - negative
    # A row for each place, the last digit first.
    place = np.arange(min(int(length.max()), _MAX_DIGITS + 1))[:, None]
    inside = place < length
    characters = text[np.maximum(stop - 1 - place, 0)]
    digits = characters - np.uint8(ord('0'))  # all else wraps around to 10 and above
    is_digit = (digits < 10) & inside
    is_point = (characters == ord('.')) & inside
    digits *= is_digit
    value, weight = np.zeros(len(start)), np.ones(len(start))
    for digit, factor in zip(digits, 10 - 9 * is_point.view(np.uint8), strict=True):
        value += digit * weight
        weight *= factor
    places = (is_point * place.astype(np.uint8)).sum(0, dtype=np.uint8)
    num_digits, num_points = is_digit.sum(0), is_point.sum(0)
    plain = (num_digits > 0) & (num_digits <= _MAX_DIGITS) & (num_points <= 1)
    plain &= num_digits + num_points == length
    out = value / _POWERS[np.minimum(places, _MAX_DIGITS)]
    np.negative(out, out=out, where=negative)
    for i in np.flatnonzero(~plain):
        out[i] = _one(text[start[i] : stop[i]].tobytes())
    return out


def parse_table(text: bytes, num_columns: int, first_line: int = 1) -> np.ndarray:
    """Lines of numbers between blanks, as many on each line; empty lines are left out.

    Args:
        text (bytes): The lines.
        num_columns (int): Numbers of each line.
        first_line (int): How messages count the first line.

    Returns:
        np.ndarray: float64 ``(lines, num_columns)``.

    Raises:
        ValueError: If a line has another number of columns, or something else on it,
            as ``'kind: details'``.
    """
    letters = np.frombuffer(text + b'\n', np.uint8)
    edge = np.diff(letters > ord(' '), prepend=False)
    start, stop = np.flatnonzero(edge).reshape(-1, 2).T
    end_of_line = np.flatnonzero(letters == ord('\n'))
    count = np.diff(np.searchsorted(start, end_of_line), prepend=0)
    wrong = (count != num_columns) & (count != 0)
    if wrong.any():
        line = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f'wrong number of columns: {count[line]} numbers in line '
            f'{first_line + line}, not {num_columns}'
        )
    return parse_decimals(letters, start, stop).reshape(-1, num_columns)


def _one(token: bytes) -> float:
    # int() and float() accept underscores between digits; a recording has none.
    try:
        if b'_' not in token:
            return float(token)
    except ValueError:
        pass
    raise ValueError(f'not a number: {token.decode("latin1")!r}')
