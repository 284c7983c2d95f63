"""The picture of accuracy over labels."""

from hiclr_mmaction.evaluation.readouts import Accuracies
from hiclr_mmaction.visualization.label_curve import draw_label_curve


def test_each_method_has_a_line_with_its_means_in_per_cent():
    curve = {
        'MiniRocket': {0.1: Accuracies((0.4, 0.6)), 1.0: Accuracies((0.8, 0.8))},
        'ridge': {0.1: Accuracies((0.7,))},
    }
    figure = draw_label_curve(curve, 'a title', plain=('MiniRocket',))
    (axes,) = figure.axes
    lines = {c.get_label(): c.lines[0] for c in axes.containers}
    assert list(lines['MiniRocket'].get_ydata()) == [50, 80]
    assert lines['MiniRocket'].get_linestyle() == '--'
    assert list(lines['ridge'].get_xdata()) == [0.1]
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks == ['10 %', '100 %']
