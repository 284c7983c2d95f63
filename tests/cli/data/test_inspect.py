"""The command that looks into a pose pickle."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import pytest
from helpers.skeletons import coco_annotations

from hiclr_mmaction.datasets.synthetic import pose_annotations

TOOL = Path(__file__).parents[3] / 'tools' / 'data' / 'inspect.py'
SETTINGS = dict(
    actions=['wave', 'squat'], num_subjects=2, num_val_subjects=1, clips_per_action=1
)


@pytest.fixture
def main(load_tool):
    """The program's main, in this process."""
    return load_tool('data/inspect').main


def write(tmp_path, content):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    return str(path)


def status(main, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_command_runs_beside_pythons_own_inspect(tmp_path):
    """As a program: its folder comes first where Python looks for modules."""
    path = write(tmp_path, pose_annotations(**SETTINGS))
    picture = tmp_path / 'clip.png'
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', TOOL, path, '--draw', picture],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert 'no error found' in done.stdout
    assert 'nturgb+d' in done.stdout
    assert matplotlib.image.imread(picture).shape[1] == 8 * 200


def test_error_in_the_file_gives_status_1(tmp_path, main, capsys):
    content = pose_annotations(**SETTINGS)
    content['split']['val'] = copy.copy(content['split']['train'])
    assert status(main, write(tmp_path, content)) == 1
    assert 'splits overlap' in capsys.readouterr().out


def test_scored_clip_is_drawn_by_name(tmp_path, main, capsys):
    content = coco_annotations(**SETTINGS)
    picture = tmp_path / 'clip.png'
    code = status(
        main, write(tmp_path, content), '--draw', picture, '--frames', '3',
        '--clip', 'squat-s01-r00',
    )  # fmt: skip
    assert code == 0
    image = matplotlib.image.imread(picture)[..., :3]
    assert image.shape[1] == 600
    assert (image < 0.6).sum() > 200


def test_layout_may_be_written_as_a_dict(tmp_path, main, capsys):
    content = pose_annotations(**SETTINGS)
    for clip in content['annotations']:
        clip['keypoint'] = clip['keypoint'][:, :, :3]
    layout = "{'num_joints': 3, 'bones': [(1, 0), (2, 1)], 'center': 0, 'name': 'rod'}"
    assert status(main, write(tmp_path, content), '--layout', layout) == 0
    assert 'rod' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--draw', 'x.png', '--clip', 'nobody'], "no clip 'nobody'"),
        (['--layout', 'ntu'], "layout='ntu' is unknown"),
    ],
)
def test_argument_that_cannot_be_is_one_line(
    tmp_path, main, arguments, message, capsys
):
    code = status(main, write(tmp_path, pose_annotations(**SETTINGS)), *arguments)
    assert message in code
    assert '\n' not in code


def test_layout_that_is_no_dict_is_a_usage_error(tmp_path, main, capsys):
    path = write(tmp_path, pose_annotations(**SETTINGS))
    assert status(main, path, '--layout', '{1') == 2
    assert "'{1' is not a value" in capsys.readouterr().err


def test_missing_file_is_one_line(tmp_path, main):
    assert 'error: ' in status(main, tmp_path / 'none.pkl')


def test_both_layouts_are_drawn(tmp_path, main, capsys):
    path = write(tmp_path, pose_annotations(**SETTINGS))
    one, both = tmp_path / 'one.png', tmp_path / 'both.png'
    assert status(main, path, '--draw', one) == 0
    assert status(main, path, '--draw', both, '--to-layout', 'coco') == 0
    upper, pictures = map(matplotlib.image.imread, (one, both))
    assert pictures.shape[0] == 2 * len(upper)
    assert (pictures[len(upper) :] < 1).any()
    assert 'cannot be mapped' in status(
        main, path, '--draw', both, '--to-layout', "{'num_joints': 2, 'bones': [(1, 0)], "
        "'center': 0}",
    )  # fmt: skip
    assert '--draw' in status(main, path, '--to-layout', 'coco')
