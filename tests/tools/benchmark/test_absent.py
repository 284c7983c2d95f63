import numpy as np

from hiclr_mmaction.datasets.synthetic import pose_annotations


def test_clips_of_every_second_class_get_another_of_their_own(load_tool):
    data = pose_annotations(
        num_subjects=4, num_val_subjects=2, actions=['wave', 'squat']
    )
    single = {clip['frame_dir']: clip for clip in data['annotations']}
    paired = load_tool('benchmark/absent').pair(data, distance=0.8)
    assert paired['split'] == data['split']
    assert [clip['frame_dir'] for clip in paired['annotations']] == list(single)
    for clip in paired['annotations']:
        alone = single[clip['frame_dir']]
        assert clip['label'] == alone['label']
        assert np.array_equal(
            clip['keypoint'][:1], alone['keypoint'].astype(np.float32)
        )
        if clip['label'] % 2:
            first, second = clip['keypoint']
            assert first.shape == second.shape
            assert not np.allclose(second - first, [0.8, 0, 0])  # not itself
        else:
            assert len(clip['keypoint']) == 1
