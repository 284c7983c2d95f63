"""Converters whose clips get the joints of another layout."""

import numpy as np
import pytest
from helpers.raw_files import quiet, write_ntu
from helpers.skeletons import standing

from hiclr_mmaction.annotations.inspection import inspect_pickle
from hiclr_mmaction.annotations.prepared import Preparation
from hiclr_mmaction.annotations.safe_pickle import load_pickle
from hiclr_mmaction.converters import (
    Clip,
    MappedConverter,
    NTUConverter,
    SkeletonConverter,
    convert,
)


class Standing(SkeletonConverter):
    """One clip of a person who stands, z up, in millimetres."""

    find_orientation = True

    def __init__(self, keypoint=None, layout='nturgb+d'):
        x, y, z = np.moveaxis(standing(4), -1, 0)
        self._keypoint = (
            np.stack([x, -z, y], -1) * 1000 if keypoint is None else keypoint
        )
        self.layout = layout

    def clips(self):
        yield Clip('a', ())

    def read(self, clip):
        return dict(keypoint=self._keypoint, label=3)

    def splits(self, samples):
        return dict(mine=['a'])


def run(converter, tmp_path, **kwargs):
    out = tmp_path / 'out.pkl'
    report = convert(converter, out, workers=1, console=quiet(), **kwargs)
    return report, load_pickle(out)


def test_clips_labels_and_splits_are_the_converters_in_the_layout(tmp_path):
    report, content = run(MappedConverter(Standing(), 'kinect20'), tmp_path)
    (clip,) = content['annotations']
    assert content['layout'] == 'kinect20'
    assert content['split'] == dict(mine=['a'])
    assert clip['label'] == 3
    # Both call these joints the same; up and unit are found all the same.
    np.testing.assert_allclose(
        clip['keypoint'][0, :, 4:12], standing(4)[0, :, 4:12], atol=1e-5
    )
    assert inspect_pickle(tmp_path / 'out.pkl').errors == []
    assert report.settings['to_layout'] == 'kinect20'


def test_report_says_what_is_made(tmp_path):
    report, _ = run(MappedConverter(Standing(), 'smpl'), tmp_path)
    assert '4 joints made of others: spine1, spine3, left collar, right collar' in (
        report.remarks
    )


def test_mapped_clips_can_be_aligned(tmp_path):
    _, content = run(MappedConverter(Standing(), 'openni15'), tmp_path, align=8)
    assert content['annotations'][0]['keypoint'].shape[1:] == (8, 15, 3)
    assert content['prepared']['layout'] == 'openni15'


def test_clip_that_does_not_fit_its_layout_is_left_out(tmp_path):
    converter = MappedConverter(Standing(np.ones((1, 4, 24, 3))), 'kinect20')
    with pytest.raises(ValueError, match='no clip could be used.*24 joints'):
        run(converter, tmp_path)


def test_real_files_in_processes(tmp_path):
    write_ntu(tmp_path / 'raw')
    report = convert(
        MappedConverter(NTUConverter([tmp_path / 'raw']), 'h36m'),
        tmp_path / 'out.pkl',
        workers=2,
        allow_empty=True,
        console=quiet(),
    )
    assert report.clips == 1


def test_other_dimensions_and_aligned_clips_are_errors():
    with pytest.raises(ValueError, match="'coco' is 2d, but the clips are 3d"):
        MappedConverter(Standing(), 'coco')
    aligned = Standing()
    aligned.preparation = Preparation('nturgb+d', 8, 1, 20, (8, 4))
    with pytest.raises(ValueError, match='already; map the raw clips'):
        MappedConverter(aligned, 'kinect20')
    with pytest.raises(ValueError, match='cannot be mapped .* joints without names'):
        MappedConverter(Standing(), dict(num_joints=2, bones=[(1, 0)], center=0))
