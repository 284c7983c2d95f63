"""A confusion matrix is drawn by parts of the true classes."""

import numpy as np
import pytest

from hiclr_mmaction.visualization import draw_confusion, most_confused, to_pixels

MATRIX = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])


def texts(figure):
    return [t.get_text() for t in figure.axes[0].texts if t.get_visible()]


def test_rows_are_parts_of_the_true_class_and_zeros_are_left_out():
    figure = draw_confusion(MATRIX, ['a', 'b', 'c'])
    assert texts(figure) == ['75%', '25%', '25%', '25%', '50%']
    image = figure.axes[0].images[0]
    np.testing.assert_allclose(image.get_array()[1], 0)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ['a', 'b', 'c']


def test_of_many_classes_the_numbers_are_left_out_and_no_name_overlaps_the_next():
    figure = draw_confusion(np.eye(60, dtype=int), [f'action {i}' for i in range(60)])
    assert texts(figure) == []
    to_pixels(figure)  # lays it out
    boxes = [t.get_window_extent() for t in figure.axes[0].get_yticklabels()]
    assert all(a.y0 > b.y1 - 1 for a, b in zip(boxes, boxes[1:], strict=False))
    assert min(box.x0 for box in boxes) >= 0


def test_most_confused_pairs_come_by_their_part_of_the_class():
    assert most_confused(MATRIX) == [(2, 0, 2, 0.25), (2, 1, 2, 0.25), (0, 1, 1, 0.25)]
    assert len(most_confused(MATRIX, 1)) == 1


@pytest.mark.parametrize(
    ('matrix', 'classes', 'message'),
    [
        (np.ones((2, 3)), None, r'\(2, 3\) is not a confusion matrix'),
        (np.zeros((2, 2)), None, 'not a confusion matrix with clips'),
        (np.ones((2, 2)), ['a'], '1 class names for a matrix of 2'),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(matrix, classes, message):
    with pytest.raises(ValueError, match=message):
        draw_confusion(matrix, classes)
