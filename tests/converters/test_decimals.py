"""Numbers in texts, against Python's float."""

import numpy as np
import pytest

from hiclr_mmaction.converters.decimals import parse_table


def parse(*tokens):
    return parse_table(' '.join(tokens).encode(), len(tokens))[0]


def test_equals_float_to_the_last_bit():
    rng = np.random.default_rng(0)
    tokens = [
        f'{value:.{digits}f}'
        for value, digits in zip(
            rng.normal(0, 10.0 ** rng.integers(-3, 6, 3000)),
            rng.integers(0, 9, 3000),
            strict=True,
        )
    ]
    np.testing.assert_array_equal(parse(*tokens), [float(token) for token in tokens])


@pytest.mark.parametrize(
    'token',
    [
        '0', '-0', '5', '-5.', '.5', '-.25', '+1.5', '0.000001', '1e-5', '-4.248406E-05',
        '1E3', '123456789012345', '1234567890123456', '-0.1234567890123456789',
        '99999999999999999999', '72057594037931101', 'inf', '-inf', '0' * 40 + '7',
        '0.' + '0' * 30 + '1',
    ],
)  # fmt: skip
def test_every_way_of_writing_a_number(token):
    value = parse('1', token, '2')
    np.testing.assert_array_equal(value, [1, float(token), 2])
    assert np.signbit(value[1]) == np.signbit(float(token))


def test_nan_is_read():
    assert np.isnan(parse('nan')[0])
    assert np.isnan(parse('-NaN')[0])


@pytest.mark.parametrize(
    'token', ['x', '1.2.3', '-', '.', '--1', '1_000', '1,5', '1-2']
)
def test_what_is_no_number_is_named(token):
    with pytest.raises(ValueError, match='not a number: ') as error:
        parse('1', token, '2')
    assert repr(token) in str(error.value)


def test_table_with_blanks_and_crlf():
    text = b' 1 2\t3 \r\n\r\n 4  5 6'
    np.testing.assert_array_equal(parse_table(text, 3), [[1, 2, 3], [4, 5, 6]])


def test_line_of_another_width_is_named():
    with pytest.raises(ValueError, match='columns: 2 numbers in line 12, not 3'):
        parse_table(b'1 2 3\n4 5 6\n7 8\n', 3, first_line=10)


def test_no_line_gives_no_row():
    assert parse_table(b'', 3).shape == (0, 3)
