"""Damaged files of every format: read right, or refused by the reader's own error."""

import json
import pickle
import shutil

import numpy as np
import pytest
import scipy.io
from helpers.mutate import mutate
from helpers.paths import DATA
from helpers.raw_files import skeleton_text, write_pku
from helpers.skeletons import standing

from hiclr_mmaction import converters
from hiclr_mmaction.annotations.clip_checks import check_keypoint
from hiclr_mmaction.skeleton import get_layout

JOINTS = standing(6)[0]  # (T, 25, 3)


def text_of(rows, separator=' '):
    rows = np.reshape(rows, (len(rows), -1)).tolist()
    return '\n'.join(separator.join(f'{value:.4f}' for value in row) for row in rows)


def write_bvh(folder):
    path = folder / 'a.bvh'
    shutil.copy(DATA / 'cases' / 'bvh_sci.bvh', path)
    return path


def write_ntu(folder):
    path = folder / 'S001C001P001R001A001.skeleton'
    path.write_text(skeleton_text({'1': JOINTS, '2': JOINTS + 1}))
    return path


def write_pku_recording(folder):
    write_pku(folder, frames=12, rows='3,1,9,2\n5,2,11,1\n')
    return folder / 'skeletons' / '0002-L.txt'


def write_pku_labels(folder):
    return write_pku_recording(folder).parents[1] / 'labels' / '0002-L.txt'


def write_arrays(folder):
    clips = np.zeros((2, 3, 6, 25, 2), np.float32)
    clips[..., 0] = JOINTS.transpose(2, 0, 1)
    np.save(folder / 'train_position.npy', clips)
    (folder / 'train_label.pkl').write_bytes(pickle.dumps((['a', 'b'], [0, 4])))
    return folder / 'train_position.npy'


def write_array_labels(folder):
    return write_arrays(folder).with_name('train_label.pkl')


def write_npz(folder, save=np.savez):
    rows = np.repeat(JOINTS[None, :, None], 2, axis=0).repeat(2, axis=2)
    rows = rows.reshape(2, 6, 150).astype(np.float32)
    labels = np.eye(3)[:2]
    path = folder / 'NTU60_CS.npz'
    save(path, x_train=rows, y_train=labels, x_test=rows, y_test=labels)
    return path


def write_compressed_npz(folder):
    return write_npz(folder, np.savez_compressed)


def write_nw_ucla(folder):
    path = folder / 'a01_s02_e00_v03.json'
    path.write_text(json.dumps(dict(skeletons=JOINTS[:, :20].round(3).tolist())))
    return path


def write_msr(folder):
    path = folder / 'a01_s02_e03_skeleton3D.txt'
    path.write_text(text_of(JOINTS[:, list(range(20)), :][..., [0, 1, 2, 2]]))
    return path


def write_kard(folder):
    path = folder / 'a01_s02_e03_realworld.txt'
    path.write_text(text_of(1000 * JOINTS[:, :15]))
    return path


def write_utd(folder):
    path = folder / 'a1_s2_t3_skeleton.mat'
    scipy.io.savemat(path, dict(d_skel=JOINTS[:, :20].transpose(1, 2, 0)))
    return path


def write_florence(folder):
    path = folder / 'Florence_dataset_WorldCoordinates.txt'
    rows = np.concatenate([np.full((6, 3), 1), JOINTS[:, :15].reshape(6, 45)], axis=1)
    path.write_text(text_of(rows))
    return path


def write_utkinect(folder):
    path = folder / 'joints_s01_e02.txt'
    rows = np.column_stack([np.arange(6), JOINTS[:, :20].reshape(6, 60)])
    path.write_text(text_of(rows))
    (folder / 'actionLabel.txt').write_text('s01_e02 \nwalk: 0 3\nthrow: NaN NaN\n')
    return path


def write_utkinect_labels(folder):
    return write_utkinect(folder).with_name('actionLabel.txt')


def write_sbu(folder):
    path = folder / 's01s02' / '01' / '001' / 'skeleton_pos.txt'
    path.parent.mkdir(parents=True)
    rows = np.column_stack([np.arange(6), np.tile(JOINTS[:, :15].reshape(6, 45), 2)])
    path.write_text(text_of(rows, ','))
    return path


def pku(folder):
    return converters.PKUMMDConverter(folder / 'skeletons', folder / 'labels')


# What writes a file to be damaged, and what makes the converter of its folder.
FORMATS = {
    'bvh': (write_bvh, converters.BVHConverter),
    'ntu': (write_ntu, lambda folder: converters.NTUConverter([folder])),
    'pku': (write_pku_recording, pku),
    'pku labels': (write_pku_labels, pku),
    'hiclr arrays': (write_arrays, converters.HiCLRArrayConverter),
    'hiclr labels': (write_array_labels, converters.HiCLRArrayConverter),
    'npz': (write_npz, lambda f: converters.CTRGCNConverter(f / 'NTU60_CS.npz')),
    'compressed npz': (
        write_compressed_npz,
        lambda f: converters.CTRGCNConverter(f / 'NTU60_CS.npz'),
    ),
    'nw_ucla': (write_nw_ucla, converters.NWUCLAConverter),
    'msr_action3d': (write_msr, converters.MSRAction3DConverter),
    'kard': (write_kard, converters.KARDConverter),
    'utd_mhad': (write_utd, converters.UTDMHADConverter),
    'florence3d': (write_florence, converters.Florence3DConverter),
    'utkinect': (write_utkinect, converters.UTKinectConverter),
    'utkinect labels': (write_utkinect_labels, converters.UTKinectConverter),
    'sbu': (write_sbu, converters.SBUConverter),
}


def read_all(make, folder):
    """Read all clips of a folder; returns whether there was a usable one."""
    usable = False
    converter = make(folder)
    layout = get_layout(converter.layout)
    for clip in converter.clips():
        try:
            keypoint = np.asarray(converter.read(clip)['keypoint'])
            check_keypoint(keypoint.astype(np.float32), layout, clip.id)
        except (ValueError, OSError):
            continue
        assert np.isfinite(keypoint.astype(np.float32)).all()
        usable = True
    return usable


def fuzz(name, folder, times):
    write, make = FORMATS[name]
    path = write(folder)
    data = path.read_bytes()
    assert read_all(make, folder)
    rng = np.random.default_rng(0)
    for i in range(times):
        damaged = mutate(data, rng)
        path.write_bytes(damaged)
        try:
            read_all(make, folder)
        except (ValueError, OSError):
            continue
        except Exception as error:
            raise AssertionError(f'{name}, {i}: {damaged[:2000]!r}') from error


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
@pytest.mark.parametrize('name', FORMATS)
def test_damaged_file_raises_no_other_error(tmp_path, name):
    fuzz(name, tmp_path, 100)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore::RuntimeWarning')
@pytest.mark.parametrize('name', FORMATS)
def test_many_damaged_files_raise_no_other_error(tmp_path, name):
    fuzz(name, tmp_path, 1_000)
