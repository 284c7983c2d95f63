"""The programs that draw, run as a user does."""

import json
import pickle

import matplotlib.image
import numpy as np
import pytest
from PIL import Image


def test_views_of_a_config_become_a_picture_or_an_animation(
    run_tool, small_run, tmp_path, capsys
):
    config = small_run[0]
    still, moving = tmp_path / 'views.png', tmp_path / 'views.gif'
    options = ('--index', 2, '--seed', 1)
    run_tool('analysis/browse_views', config, '--out', still, '--frames', 2, *options)
    first = capsys.readouterr().out
    assert 'query 3: TemporalCrop (position' in first
    assert matplotlib.image.imread(still).std() > 0.05
    run_tool('analysis/browse_views', config, '--out', moving, '--size', 0.7, *options)
    assert capsys.readouterr().out.splitlines()[:4] == first.splitlines()[:4]
    with Image.open(moving) as image:
        assert image.n_frames == 24


def test_features_before_and_after_stand_side_by_side(
    run_tool, small_run, tmp_path, capsys
):
    config, checkpoint, _ = small_run
    picture = tmp_path / 'features.png'
    run_tool('analysis/plot_features', config, 'none', checkpoint, '--out', picture,
             '--max-clips', 10)  # fmt: skip
    assert '10 clips drawn' in capsys.readouterr().out
    image = matplotlib.image.imread(picture)
    assert image.shape[1] > 1.8 * image.shape[0]


def test_page_shows_a_clip_and_its_neighbours(run_tool, small_run, tmp_path, capsys):
    config, checkpoint, _ = small_run
    page = tmp_path / 'page.html'
    run_tool('analysis/browse_neighbours', config, checkpoint, '--out', page,
             '--clip', 'squat-s04-r01', '-k', 3)  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('squat-s04-r01  class: squat')
    distances = [float(line.split()[-1]) for line in lines[1:4]]
    assert distances == sorted(set(distances))
    assert page.read_text().count('"frames":') == 4


def test_curves_of_two_runs_are_drawn(run_tool, tmp_path):
    for name in 'ab':
        (tmp_path / name / 'vis_data').mkdir(parents=True)
        rows = [dict(loss=i, epoch=1, iter=i, step=i) for i in (1, 2)]
        text = '\n'.join(map(json.dumps, rows))
        (tmp_path / name / 'vis_data' / 'scalars.json').write_text(text)
    picture = tmp_path / 'curves.png'
    run_tool('analysis/plot_log', tmp_path / 'a', tmp_path / 'b', '--out', picture)
    assert matplotlib.image.imread(picture).std() > 0.05


def test_confusion_is_drawn_and_the_most_confused_pairs_listed(
    run_tool, tmp_path, capsys
):
    rows = [
        dict(pred_score=np.eye(3)[p], gt_label=t) for t, p in [(0, 0), (1, 2), (2, 2)]
    ]
    scores = tmp_path / 'scores.pkl'
    scores.write_bytes(pickle.dumps(rows))
    names = tmp_path / 'names.txt'
    names.write_text('walk\nrun\njump\n')
    picture = tmp_path / 'confusion.png'
    run_tool('analysis/confusion', scores, '--classes', names, '--out', picture)
    out = capsys.readouterr().out
    assert '2 of 3 clips are correct: 66.7%' in out
    row = next(line for line in out.splitlines() if 'run' in line)
    assert 'jump' in row
    assert '100%' in row
    assert matplotlib.image.imread(picture).std() > 0.05
    rows[0]['classes'] = ['sit', 'stand', 'lie']
    scores.write_bytes(pickle.dumps(rows))
    run_tool('analysis/confusion', scores, '--out', picture)
    row = next(line for line in capsys.readouterr().out.splitlines() if 'stand' in line)
    assert 'lie' in row


@pytest.mark.parametrize(
    ('tool', 'arguments', 'message'),
    [
        ('browse_views', ['CONFIG', '--index', '99'], 'error: index=99'),
        ('browse_views', ['nowhere.py'], 'config not found: nowhere.py'),
        ('browse_views', ['CONFIG', '--out', 'no/views.png'], 'make the folder no'),
        ('plot_features', ['CONFIG', 'nowhere.pth'], 'checkpoint not found'),
        ('plot_features', ['CONFIG', 'none', 'none'], 'give each a name of its own'),
        ('browse_neighbours', ['CONFIG', 'CHECKPOINT', '--index', '99'], '--index 99'),
        ('browse_neighbours', ['CONFIG', 'CHECKPOINT', '--clip', 'x'], '--clip x'),
        ('plot_log', ['nowhere'], 'nowhere is not a run'),
        ('confusion', ['CONFIG'], 'damaged or not a pickle'),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(
    run_tool, small_run, tmp_path, monkeypatch, tool, arguments, message
):
    monkeypatch.chdir(tmp_path)
    given = dict(CONFIG=small_run[0], CHECKPOINT=small_run[1])
    with pytest.raises(SystemExit) as ended:
        run_tool(f'analysis/{tool}', *(given.get(a, a) for a in arguments))
    assert message in ended.value.code
    assert '\n' not in ended.value.code
