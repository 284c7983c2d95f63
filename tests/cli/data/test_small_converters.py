"""The converters of small sets and of custom files, as commands."""

import json
import sys

import numpy as np
import pytest
import scipy.io

from hiclr_mmaction.annotations.safe_pickle import load_pickle

ROD = "{'joints': ['foot', 'head'], 'bones': [(1, 0)], 'center': 0, 'name': 'rod'}"
BVH = (
    """HIERARCHY
ROOT Hips
{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT LeftArm
{
OFFSET 15 40 0
CHANNELS 3 Zrotation Xrotation Yrotation
End Site
{
OFFSET 0 -30 0
}
}
JOINT RightArm
{
OFFSET -15 40 0
CHANNELS 3 Zrotation Xrotation Yrotation
End Site
{
OFFSET 0 -30 0
}
}
}
MOTION
Frames: 2
Frame Time: 0.0333333
"""
    + ('0 90 0' + ' 0' * 9 + '\n') * 2
)


@pytest.fixture
def run(run_tool, load_tool, monkeypatch):
    """Run a program of tools/data in this process."""

    def run(name, *arguments):
        small_sets = load_tool('data/small_sets')
        if name not in small_sets.SETS:
            return run_tool(f'data/{name}', *arguments)
        monkeypatch.setattr(sys, 'argv', [f'{name}.py', *map(str, arguments)])
        return small_sets.main(name)

    return run


def write_files(folder):
    """A clip for each of the programs."""
    joints = np.random.default_rng(0).normal(size=(4, 20, 3)).round(3) + 1
    (folder / 'a01_s02_e00_v03.json').write_text(
        json.dumps({'skeletons': joints.tolist()})
    )
    rows = '\n'.join(f'{x} {y} {z} 1' for x, y, z in joints.reshape(-1, 3))
    (folder / 'a01_s02_e03_skeleton3D.txt').write_text(rows)
    scipy.io.savemat(
        folder / 'a1_s2_t3_skeleton.mat', dict(d_skel=joints.transpose(1, 2, 0))
    )
    (folder / 'a01_s02_e04_realworld.txt').write_text('1 2 3 ' * 15)
    (folder / 'Florence_dataset_WorldCoordinates.txt').write_text('3 2 1 ' * 16)
    (folder / 'joints_s01_e02.txt').write_text('1 ' * 61)
    (folder / 'actionLabel.txt').write_text('s01_e02\nwalk: 1 2\n')
    (folder / 's01s02' / '01' / '001').mkdir(parents=True)
    (folder / 's01s02' / '01' / '001' / 'skeleton_pos.txt').write_text('1 ' * 91)
    np.save(folder / 'rod.npy', joints[:, :2])
    (folder / 'arms.bvh').write_text(BVH)


@pytest.mark.parametrize(
    ('name', 'options', 'clip', 'joints'),
    [
        ('nw_ucla', [], 'a01_s02_e00_v03', 20),
        ('msr_action3d', [], 'a01_s02_e03', 20),
        ('utd_mhad', [], 'a1_s2_t3', 20),
        ('kard', [], 'a01_s02_e04', 15),
        ('kard', ['--to-layout', 'kinect20'], 'a01_s02_e04', 20),
        ('florence3d', [], 'a01_s02_id003', 15),
        ('utkinect', [], 'a01_s01_e02', 20),
        ('sbu', [], 's01s02_01_001', 15),
        ('own', ['--layout', ROD], 'rod', 2),
        ('bvh', ['--scale', '1'], 'arms', 5),
    ],
)
def test_program_writes_pickle_and_report(tmp_path, run, name, options, clip, joints):
    folder = tmp_path / 'files'
    folder.mkdir()
    write_files(folder)
    if name == 'own':  # NW-UCLA's JSON is none of its own
        (folder / 'a01_s02_e00_v03.json').unlink()
    out = tmp_path / 'made' / 'clips.pkl'
    run(name, folder, out, '--workers', '1', '--allow-empty', *options)
    (annotation,) = load_pickle(out)['annotations']
    assert annotation['frame_dir'] == clip
    assert annotation['keypoint'].shape[2:] == (joints, 3)
    report = json.loads(out.with_name('clips.pkl.report.json').read_text())
    assert report['clips'] == 1


def test_labels_and_subjects_are_options(tmp_path, run):
    folder = tmp_path / 'files'
    folder.mkdir()
    for name in 'ab':
        np.save(folder / f'{name}.npy', np.random.rand(4, 2, 3) + 1)
    labels = tmp_path / 'labels.csv'
    labels.write_text('clip,label,subject\na,sit,1\nb,run,2\n')
    out = tmp_path / 'clips.pkl'
    run(
        'own', folder, out, '--layout', ROD, '--labels', labels,
        '--val-subjects', '2', '--workers', '1',
    )  # fmt: skip
    content = load_pickle(out)
    assert content['split'] == dict(xsub_train=['a'], xsub_val=['b'])
    assert content['classes'] == ['run', 'sit']
    assert content['layout']['name'] == 'rod'


@pytest.mark.parametrize(
    ('name', 'options'), [('own', ['--layout', ROD]), ('bvh', []), ('nw_ucla', [])]
)
def test_folder_that_is_not_there_is_one_line(tmp_path, run, name, options):
    with pytest.raises(SystemExit) as ended:
        run(name, tmp_path / 'none', tmp_path / 'out.pkl', *options)
    assert ended.value.code.startswith('error: ')
    assert '\n' not in ended.value.code
