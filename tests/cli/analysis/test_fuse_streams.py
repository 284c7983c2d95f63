"""`tools/analysis/fuse_streams.py` on files that DumpResults writes."""

import json
import pickle

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from mmaction.structures import ActionDataSample
from mmengine import load
from mmengine.evaluator import Evaluator

CLIPS, CLASSES = 40, 6


def dump(path, scores, labels, names=None):
    """Write a score file as `tools/test.py --dump` does."""
    evaluator = Evaluator([dict(type='DumpResults', out_file_path=str(path))])
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = ActionDataSample().set_gt_label(int(label))
        sample.set_pred_score(torch.as_tensor(score, dtype=torch.float32))
        sample.set_metainfo(dict(frame_dir=f'clip{i}' if names is None else names[i]))
        evaluator.process([sample])
    evaluator.evaluate(len(labels))
    return str(path)


@pytest.fixture
def streams(tmp_path):
    """Three streams that err in different places."""
    rng = np.random.default_rng(0)
    labels = np.arange(CLIPS) % CLASSES
    truth = np.eye(CLASSES)[labels]
    return [
        dump(
            tmp_path / f'{name}.pkl', truth + 0.8 * rng.normal(size=truth.shape), labels
        )
        for name in ('joint', 'bone', 'motion')
    ]


@pytest.fixture
def fuse(run_tool, capsys):
    def run(*args):
        capsys.readouterr()  # what mmengine said of the score files
        run_tool('analysis/fuse_streams', *args)
        return capsys.readouterr().out

    return run


def test_fusion_is_shown_beside_each_stream(fuse, streams, tmp_path):
    out = tmp_path / 'fused.json'
    shown = fuse(*streams, '--out', out, '--weights', 2, 2, 1)
    content = json.loads(out.read_text())
    results = content['results']
    assert list(results) == [*streams, 'fused']
    assert content['weights'] == [2, 2, 1]
    assert content['num_clips'] == CLIPS
    raw = [load(path) for path in streams]
    scores = [np.stack([row['pred_score'].numpy() for row in rows]) for rows in raw]
    labels = np.arange(CLIPS) % CLASSES
    fused = 2 * scores[0] + 2 * scores[1] + scores[2]
    for name, expected in zip(results, [*scores, fused], strict=True):
        right = expected.argmax(1) == labels
        assert results[name]['top1'] == pytest.approx(right.mean())
        per_class = [right[labels == c].mean() for c in range(CLASSES)]
        assert results[name]['class_accuracy'] == pytest.approx(per_class)
        assert results[name]['mean_class'] == pytest.approx(np.mean(per_class))
        assert f'{100 * right.mean():.2f}' in shown
    matrix = np.array(content['confusion_matrix'])
    assert matrix.sum() == CLIPS
    assert matrix.trace() == (fused.argmax(1) == labels).sum()
    best = max(results[path]['top1'] for path in streams)
    assert results['fused']['top1'] > best  # their errors are independent


@pytest.mark.parametrize('classes', [CLASSES, 60])
def test_picture_grows_with_the_classes(fuse, tmp_path, classes):
    rng = np.random.default_rng(0)
    labels = np.arange(2 * classes) % classes
    file = dump(tmp_path / 's.pkl', rng.random((2 * classes, classes)), labels)
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(f'a longer name {i}' for i in range(classes)))
    picture = tmp_path / 'confusion.png'
    fuse(file, '--picture', picture, '--classes', names)
    # Twelve pixels a class and more: each name has a line of its own.
    assert min(imread(picture).shape[:2]) > 12 * classes


class TestRefused:
    """One line, no accuracy, and nothing written."""

    @pytest.fixture
    def refusal(self, fuse, capsys, tmp_path):
        def run(*args):
            out = tmp_path / 'refused.json'
            with pytest.raises(SystemExit) as error:
                fuse(*args, '--out', out)
            assert capsys.readouterr().out == ''
            assert not out.exists()
            message = str(error.value)
            assert '\n' not in message
            return message

        return run

    def test_another_length(self, refusal, streams, tmp_path):
        short = dump(tmp_path / 'short.pkl', np.eye(CLASSES), range(CLASSES))
        assert 'differ in length: 40 and 6' in refusal(streams[0], short)

    def test_another_order(self, refusal, streams, tmp_path):
        rows = load(streams[1])
        shuffled = tmp_path / 'shuffled.pkl'
        shuffled.write_bytes(pickle.dumps(rows[::-1]))
        assert 'differ in clips or their order' in refusal(streams[0], shuffled)

    def test_other_weights(self, refusal, streams):
        assert '2 weights for 3' in refusal(*streams, '--weights', 1, 2)

    def test_no_score_file(self, refusal, streams, tmp_path):
        path = tmp_path / 'poses.pkl'
        path.write_bytes(pickle.dumps(dict(split={}, annotations=[])))
        assert 'holds no scores of classes' in refusal(streams[0], path)

    def test_no_pickle(self, refusal, streams, tmp_path):
        path = tmp_path / 'text.pkl'
        path.write_text('no pickle')
        assert 'truncated, damaged or not a pickle' in refusal(streams[0], path)

    def test_code_is_not_run(self, refusal, streams, tmp_path):
        class Hostile:
            def __reduce__(self):
                return open, (str(tmp_path / 'was_run'), 'w')

        path = tmp_path / 'hostile.pkl'
        path.write_bytes(pickle.dumps([dict(pred_score=Hostile(), gt_label=0)]))
        assert 'is not read: it asks for' in refusal(streams[0], path)
        assert not (tmp_path / 'was_run').exists()

    def test_missing_file(self, refusal, streams):
        assert refusal(streams[0], 'nowhere.pkl') == 'score file not found: nowhere.pkl'

    def test_the_same_file_twice(self, refusal, streams):
        assert 'named twice' in refusal(streams[0], streams[0])

    def test_other_number_of_names(self, refusal, streams, tmp_path):
        names = tmp_path / 'names.txt'
        names.write_text('one\ntwo')
        picture = tmp_path / 'confusion.png'
        message = refusal(*streams, '--classes', names, '--picture', picture)
        assert '2 class names for a matrix of 6' in message
        assert not picture.exists()


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['joint.pkl', 'bone.pkl'], ['joint', 'bone']),
        (
            ['w/joint/linear/scores.pkl', 'w/bone/linear/scores.pkl'],
            ['joint', 'bone'],
        ),
        (['a/b.pkl', 'b.pkl'], ['a/b.pkl', 'b.pkl']),
    ],
)
def test_the_picture_names_what_differs_in_the_paths(load_tool, paths, names):
    assert load_tool('analysis/fuse_streams').short_names(paths) == names
