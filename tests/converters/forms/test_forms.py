"""The forms as a whole: their examples, their table, and damaged files."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.own_files import CASES, FLAT, read

from hiclr_mmaction.converters.forms import FORMS, forms_table
from hiclr_mmaction.skeleton import get_layout

DOCS = Path(__file__).parents[3] / 'docs'
TEXTS = [form for form in FORMS if form.file != 'NPY']


@pytest.mark.parametrize('form', TEXTS, ids=lambda form: form.name)
def test_the_example_of_a_form_is_read(form, tmp_path):
    path = tmp_path / f'a.{form.file.lower()}'
    path.write_text(form.example)
    out = read(path, form.layout)['keypoint']
    layout = get_layout(form.layout)
    assert out.shape[2:] == (layout.num_joints, 3)
    assert out.any((0, 2, 3))[0]
    if {'foot', 'head'} <= set(layout.joints):
        foot, head = (out[..., layout.joints.index(n), 1] for n in ('foot', 'head'))
        seen = out.any((2, 3))
        assert ((head < foot) == (layout.coordinates == '2d'))[seen].all()


def test_the_table_of_the_documentation_is_that_of_the_forms():
    text = (DOCS / 'data.md').read_text(encoding='utf-8')
    assert forms_table() in text, f'put this into docs/data.md:\n{forms_table()}'


# ---------------------------------------------------------------------------
# Damaged files
# ---------------------------------------------------------------------------

# What is wrong, before the details.
KIND = re.compile('[A-Za-z ]{3,40}: ')
VALUES = [
    None, True, -1, 0, 1, 2.5, 1e12, 1e30, 1e308, 10**400, 'x', '', [], {}, [[]], [[[]]],
    {'x': 1}, [1, 2, 3], float('nan'), float('inf'), [None], 'frame', '10.jpg',
]  # fmt: skip
CELLS = ['', 'nan', 'inf', '-1', '1e12', '1e30', '1e308', '9' * 400, 'x', '"', ';', '0,5',
         '\0', '\ufeff', 'frame', '-', '0x10', '1_0', 'é']  # fmt: skip


def mutate_tree(content, rng):
    """Replace, remove or repeat a value somewhere within lists and objects."""
    content = json.loads(json.dumps(content))
    node = content
    while isinstance(node, list | dict) and node:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = rng.choice(list(keys))
        if (
            not isinstance(node[key], list | dict)
            or not node[key]
            or rng.random() < 0.3
        ):
            match rng.randrange(4):
                case 0:
                    del node[key]
                case 1 if isinstance(node, list):
                    node += [node[key]] * rng.choice([1, 3, 60])
                case 2 if isinstance(node, dict):
                    node[rng.choice(['frame', 'id', 'people', 'keypoints', 'x'])] = (
                        node.pop(key)
                    )
                case _:
                    node[key] = rng.choice(VALUES)
            break
        node = node[key]
    return content


def mutate_table(text, rng):
    """Change a cell, a line or a character of a table."""
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    cells = lines[at].split(',')
    match rng.randrange(6):
        case 0:
            cells[rng.randrange(len(cells))] = rng.choice(CELLS)
            lines[at] = ','.join(cells)
        case 1:
            del lines[at]
        case 2:
            lines += [lines[at]] * rng.choice([1, 5])
        case 3:
            rng.shuffle(cells)
            lines[at] = ','.join(cells)
        case 4:
            lines = [
                line.replace(',', rng.choice([';', '\t', ' ']), 99) for line in lines
            ]
        case _:
            line = lines[at]
            place = rng.randrange(len(line) + 1)
            lines[at] = line[:place] + rng.choice(CELLS) + line[place + 1 :]
    return '\n'.join(lines)


def mutate_bytes(data, rng):
    """Change, remove or repeat some bytes."""
    place, length = rng.randrange(len(data)), rng.randrange(1, 20)
    new = [bytes(rng.randrange(256) for _ in range(length)), b'', data[:length] * 2]
    return data[:place] + rng.choice(new) + data[place + length :]


def mutations(form, count):
    """Damaged files of a form, the same each time."""
    rng = random.Random(form.name)
    for _ in range(count):
        times = rng.choice([1, 1, 2, 4])
        if form.file == 'CSV':
            text = form.example
            for _ in range(times):
                text = mutate_table(text, rng) or form.example
            data = text.encode()
        elif form.file == 'JSON':
            content = json.loads(form.example)
            for _ in range(times):
                content = mutate_tree(content, rng)
            data = json.dumps(content).encode()
        else:
            data = (CASES / 'late.npy').read_bytes()[: rng.choice([2000, 200])]
        if rng.random() < 0.2 or form.file == 'NPY':
            data = mutate_bytes(data, rng)
        yield data


def refused_or_finite(form, layout, count, tmp_path):
    """Read damaged files; returns how many were read all the same."""
    path = tmp_path / f'a.{form.file.lower()}'
    good = 0
    for data in mutations(form, count):
        path.write_bytes(data)
        try:
            with np.errstate(all='ignore'):
                sample = read(path, layout)
        except Exception as error:
            own = type(error) is ValueError and KIND.match(str(error))
            if own or isinstance(error, UnicodeDecodeError):
                continue
            raise AssertionError(f'{type(error).__name__} {error}: {data!r}') from error
        good += 1
        assert np.isfinite(sample['keypoint'].astype(np.float32)).all(), data
        assert sample['keypoint'].nbytes < 2**24, data
    return good


@pytest.mark.parametrize('form', FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    'count', [300, pytest.param(10_000, marks=pytest.mark.slow)], ids=['quick', 'long']
)
def test_a_damaged_file_is_refused_or_read_without_nan(form, count, tmp_path):
    layout = 'nturgb+d' if form.file == 'NPY' else form.layout
    good = refused_or_finite(form, layout, count, tmp_path)
    assert good < count
    if form.file != 'NPY':
        assert good
    assert refused_or_finite(form, FLAT, count // 10, tmp_path) < count
