"""The forms as a whole: their examples, their table, and damaged files."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.mutate import mutate
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


def mutations(form, count):
    """Damaged files of a form, the same each time."""
    rng, numpy_rng = random.Random(form.name), np.random.default_rng(0)
    for _ in range(count):
        data = form.example.encode()
        if form.file == 'NPY':
            data = (CASES / 'late.npy').read_bytes()[: rng.choice([2000, 200])]
        if form.file == 'JSON' and rng.random() < 0.8:
            content = json.loads(data)
            for _ in range(rng.choice([1, 1, 2, 4])):
                content = mutate_tree(content, rng)
            yield json.dumps(content).encode()
        else:
            yield mutate(data, numpy_rng)


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
    'count', [100, pytest.param(1_000, marks=pytest.mark.slow)], ids=['quick', 'long']
)
def test_a_damaged_file_is_refused_or_read_without_nan(form, count, tmp_path):
    layout = 'nturgb+d' if form.file == 'NPY' else form.layout
    good = refused_or_finite(form, layout, count, tmp_path)
    assert good < count
    if form.file != 'NPY':
        assert good
    assert refused_or_finite(form, FLAT, count // 10, tmp_path) < count
