"""Curves come from mmengine's own files."""

import json

import numpy as np
import pytest

from hiclr_mmaction.visualization import draw_curves, pick_keys, read_run


def write_start(folder, *rows):
    """One start of a run, as mmengine's local backend writes it."""
    (folder / 'vis_data').mkdir(parents=True)
    text = ''.join(json.dumps(row) + '\n' for row in rows)
    (folder / 'vis_data' / 'scalars.json').write_text(text)


def train(iteration, epoch, loss):
    return dict(loss=loss, lr=0.1, epoch=epoch, iter=iteration, step=iteration)


def val(epoch, k1):
    return {'knn/k1': k1, 'step': epoch}


def test_what_is_logged_by_epoch_stands_at_the_end_of_the_epoch(tmp_path):
    rows = [val(0, 0.1), train(4, 1, 3.0), train(8, 1, 2.0), val(1, 0.2),
            train(16, 2, 1.0), val(2, 0.3)]  # fmt: skip
    write_start(tmp_path / '20260101_000000', *rows)
    curves = read_run(tmp_path)
    np.testing.assert_array_equal(curves['loss'], [[4, 8, 16], [3, 2, 1]])
    np.testing.assert_array_equal(curves['knn/k1'], [[0, 8, 16], [0.1, 0.2, 0.3]])
    assert set(curves) == {'loss', 'lr', 'knn/k1'}


def test_a_run_by_iterations_keeps_its_steps(tmp_path):
    write_start(tmp_path, dict(loss=3.0, iter=10, step=10), {'acc': 0.5, 'step': 20})
    np.testing.assert_array_equal(read_run(tmp_path)['acc'], [[20], [0.5]])


def test_a_resumed_run_goes_on_where_it_was_resumed(tmp_path):
    write_start(tmp_path / '1', train(8, 1, 3.0), train(16, 2, 2.0), train(20, 3, 9.0))
    write_start(tmp_path / '2', train(24, 3, 1.0))
    write_start(tmp_path / '3', train(20, 3, 0.5))
    np.testing.assert_array_equal(read_run(tmp_path)['loss'][0], [8, 16, 20])
    np.testing.assert_array_equal(read_run(tmp_path)['loss'][1], [3, 2, 0.5])


def test_only_the_last_line_may_be_on_its_way(tmp_path):
    write_start(tmp_path, train(8, 1, 3.0))
    file = tmp_path / 'vis_data' / 'scalars.json'
    file.write_text(file.read_text() + '{"loss": 2')
    assert len(read_run(file)['loss'][0]) == 1
    file.write_text('{"loss": 2\n' + file.read_text())
    with pytest.raises(ValueError, match='line 1 is not a JSON object'):
        read_run(file)


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='is not a run'):
        read_run(tmp_path)


def test_each_picked_scalar_gets_a_panel_with_the_runs_that_have_it():
    steps = np.array([1, 2])
    one = {'loss': (steps, steps), 'loss_level1': (steps, steps), 'lr': (steps, steps)}
    two = {'loss': (steps, 2 * steps)}
    figure = draw_curves(dict(one=one, two=two), ['loss*'])
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ['loss', 'loss_level1']
    assert [len(axes.lines) for axes in panels.values()] == [2, 1]
    np.testing.assert_array_equal(panels['loss'].lines[1].get_ydata(), [2, 4])
    names = [t.get_text() for t in figure.legends[0].get_texts()]
    assert names == ['one', 'two']


def test_a_scalar_that_no_run_has_is_refused_with_those_there_are():
    runs = dict(one={'loss': (np.ones(1), np.ones(1))})
    with pytest.raises(ValueError, match='no scalar is called knn/k1; there are loss'):
        pick_keys(runs, ['knn/k1'])
