"""The released arrays, read in place."""

import pickle

import numpy as np
import pytest
from mmaction.registry import DATASETS
from torch.utils.data import DataLoader

from hiclr_mmaction.views import SkeletonAlign


def write(folder, clips, split='train', pair=None):
    np.save(folder / f'{split}_position.npy', clips)
    if pair is None:
        pair = (
            [f'clip{i}.skeleton' for i in range(len(clips))],
            list(range(len(clips))),
        )
    (folder / f'{split}_label.pkl').write_bytes(pickle.dumps(pair))
    return str(folder / f'{split}_position.npy')


def aligned(clips=6):
    x = np.random.randn(clips, 3, 50, 25, 2).astype(np.float32)
    x[:, :, :, 20] = 0
    return x


def raw(clips=6):
    x = np.random.randn(clips, 3, 300, 25, 2).astype(np.float32)
    x[:, :, 80:] = 0
    return x


def build(path, pipeline=(), **kwargs):
    cfg = dict(type='HiCLRNpyDataset', data_file=path, pipeline=list(pipeline))
    return DATASETS.build(dict(cfg, **kwargs))


def test_items_are_the_rows_of_the_array(tmp_path):
    clips = aligned()
    dataset = build(write(tmp_path, clips))
    assert len(dataset) == 6
    item = dataset[4]
    np.testing.assert_array_equal(item['keypoint'], clips[4].transpose(3, 1, 2, 0))
    assert item['keypoint'].flags.writeable
    assert (item['frame_dir'], item['label'], item['total_frames']) == ('clip4', 4, 50)
    assert item['num_clips'] == 1


def test_a_label_of_minus_one_is_none(tmp_path):
    pair = [f'clip{i}' for i in range(6)], [0, -1, 1, -1, 0, 1]
    path = write(tmp_path, aligned(), pair=pair)
    dataset = build(path)
    assert ['label' in dataset.get_data_info(i) for i in range(2)] == [True, False]
    dataset = build(path, filter_cfg=dict(labelled=True))
    assert [dataset[i]['frame_dir'] for i in range(4)] == [
        'clip0', 'clip2', 'clip4', 'clip5',
    ]  # fmt: skip


def test_raw_arrays_are_aligned_by_the_pipeline(tmp_path):
    clips = raw()
    dataset = build(write(tmp_path, clips), [dict(type='SkeletonAlign')])
    expected = clips[2].transpose(3, 1, 2, 0)[:, :80]
    expected = SkeletonAlign()(dict(keypoint=expected))['keypoint']
    np.testing.assert_array_equal(dataset[2]['keypoint'], expected)


def test_aligned_arrays_refuse_the_transform(tmp_path):
    with pytest.raises(
        ValueError, match='stored aligned .* remove it from the pipeline'
    ):
        build(write(tmp_path, aligned()), [dict(type='SkeletonAlign')])


@pytest.mark.parametrize(('make', 'expected'), [(aligned, False), (raw, True)])
def test_config_written_for_the_other_kind_is_an_error(tmp_path, make, expected):
    with pytest.raises(ValueError, match=f'prepared={expected}, but'):
        build(write(tmp_path, make()), prepared=expected)


def test_array_aligned_for_another_layout_is_taken_as_raw(tmp_path):
    clips = aligned()
    clips[:, :, :, 20] = 1
    with pytest.raises(ValueError, match='holds raw clips'):
        build(write(tmp_path, clips), prepared=True)


def test_workers_read_the_file_and_not_a_copy(tmp_path):
    dataset = build(write(tmp_path, aligned()))
    dataset[0]
    sent = pickle.dumps(dataset)
    assert len(sent) < 20_000  # the array has 180,000 bytes
    np.testing.assert_array_equal(
        pickle.loads(sent)[3]['keypoint'], dataset[3]['keypoint']
    )
    loader = DataLoader(dataset, 2, num_workers=2, collate_fn=list)
    assert [item['label'] for batch in loader for item in batch] == list(range(6))


def test_a_subset_reads_its_own_rows(tmp_path):
    clips = aligned()
    dataset = build(write(tmp_path, clips), indices=[3, 5])
    np.testing.assert_array_equal(
        dataset[1]['keypoint'], clips[5].transpose(3, 1, 2, 0)
    )


def test_label_file_can_be_named(tmp_path):
    path = write(tmp_path, aligned())
    (tmp_path / 'train_label.pkl').rename(tmp_path / 'labels.pkl')
    with pytest.raises(FileNotFoundError, match='train_label.pkl.* set label_file'):
        build(path)
    assert len(build(path, label_file=str(tmp_path / 'labels.pkl'))) == 6


def test_labels_that_would_run_code_are_refused(tmp_path):
    import os

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'ran'),)

    with pytest.raises(ValueError, match='asks for posix.mkdir'):
        build(write(tmp_path, aligned(), pair=(['a'], [Evil()])))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    ('clips', 'message'),
    [
        (np.zeros((4, 3, 50, 20, 2)), "has 20 joints, but layout 'nturgb"),
        (np.zeros((4, 50, 25, 3)), r'holds float64 \(4, 50, 25, 3\); it should be'),
        (np.zeros((4, 3, 50, 25, 2), int), 'holds int64'),
    ],
)
def test_array_of_another_kind_is_an_error(tmp_path, clips, message):
    with pytest.raises(ValueError, match=message):
        build(write(tmp_path, clips))


@pytest.mark.parametrize('size', [0, 50, 5000])
def test_truncated_array_is_an_error(tmp_path, size):
    path = write(tmp_path, aligned())
    with open(path, 'r+b') as file:
        file.truncate(size)
    with pytest.raises(ValueError, match='truncated or not an array'):
        build(path)


def test_missing_array_is_an_error(tmp_path):
    path = write(tmp_path, aligned())
    (tmp_path / 'train_position.npy').unlink()
    with pytest.raises(FileNotFoundError, match='train_position.npy does not exist'):
        build(path)


def test_nan_is_named_when_it_is_read(tmp_path):
    clips = aligned()
    clips[3, 0, 7, 2, 1] = np.nan
    dataset = build(write(tmp_path, clips))
    with pytest.raises(ValueError, match="clip 'clip3' holds 1 values .* frame 7"):
        dataset[3]
