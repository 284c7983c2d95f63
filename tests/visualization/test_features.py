"""Features in the plane keep their classes apart, and are told by colour and name."""

import importlib.util
import sys

import numpy as np
import pytest
from helpers.process import run_python

from hiclr_mmaction.visualization import draw_features, embed_features, to_pixels


@pytest.fixture
def clusters():
    """Features of three directions, and the labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 12)
    features = np.eye(8)[labels] + rng.normal(0, 0.05, (36, 8))
    # Their lengths say nothing: near is by cosine.
    return (features * rng.uniform(0.5, 5, (36, 1))).astype(np.float32), labels


def nearest_share(points, labels):
    """Part of the points whose nearest other one is of the same class."""
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    return (labels[distance.argmin(1)] == labels).mean()


def test_tsne_keeps_classes_together_and_is_seeded(clusters):
    features, labels = clusters
    points = embed_features(features, seed=1)
    assert points.shape == (36, 2)
    assert nearest_share(points, labels) == 1
    np.testing.assert_array_equal(points, embed_features(features, seed=1))


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec('umap'), reason='no umap-learn')
def test_umap_keeps_classes_together(clusters, tmp_path):
    features, labels = clusters
    np.save(tmp_path / 'features.npy', features)
    # Without numba's compiling, which takes longer than all the rest. Numba reads this
    # once, when it is imported, as tests of baselines do.
    done = run_python(
        """
        import sys
        import numpy as np
        from hiclr_mmaction.visualization import embed_features

        features, points = sys.argv[1:]
        np.save(points, embed_features(np.load(features), 'umap'))
        """,
        tmp_path / 'features.npy',
        tmp_path / 'points.npy',
        NUMBA_DISABLE_JIT='1',
    )
    assert done.returncode == 0, done.stderr
    assert nearest_share(np.load(tmp_path / 'points.npy'), labels) == 1


def test_without_umap_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'umap', None)  # as if it were not there
    with pytest.raises(ImportError, match='pip install umap-learn'):
        embed_features(np.ones((9, 2)), 'umap')


@pytest.mark.parametrize(
    ('count', 'method', 'message'),
    [(9, 'pca', "'pca' is unknown"), (3, 'tsne', '3 fe')],
)
def test_what_cannot_be_embedded_is_refused(count, method, message):
    with pytest.raises(ValueError, match=message):
        embed_features(np.ones((count, 2)), method)


def looks(axes):
    return {
        (*c.get_facecolor()[0], c.get_paths()[0].vertices.tobytes())
        for c in axes.collections
    }


@pytest.mark.parametrize('num_classes', [12, 20, 60])
def test_no_two_classes_look_alike_and_the_legend_fits(num_classes):
    labels = np.repeat(np.arange(num_classes), 3)
    points = np.random.default_rng(0).normal(size=(len(labels), 2))
    names = [f'some action {i}' for i in range(num_classes)]
    figure = draw_features(dict(before=points, after=points), labels, names)
    to_pixels(figure)  # lays it out
    for axes in figure.axes:
        assert len(looks(axes)) == num_classes
        assert len(axes.texts) == (num_classes if num_classes > 20 else 0)
    legend = figure.legends[0]
    assert len(legend.get_texts()) == num_classes
    box = legend.get_window_extent()
    assert box.x0 >= figure.axes[-1].get_window_extent().x1
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= 0
    assert box.y1 <= figure.bbox.y1


def test_legend_names_the_classes_that_are_there():
    points = np.zeros((4, 2))
    figure = draw_features(dict(a=points), [0, 2, 2, 0], ['x', 'y', 'z'])
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ['x', 'z']


@pytest.mark.parametrize(
    ('count', 'names', 'message'),
    [
        (4, ['x'], 'label 2 is beyond the 1 class names'),
        (3, None, '3 points for 4 labels'),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(count, names, message):
    with pytest.raises(ValueError, match=message):
        draw_features(dict(a=np.zeros((count, 2))), [0, 2, 2, 0], names)
