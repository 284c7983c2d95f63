"""What is drawn of views is what pre-training makes."""

import pickle

import numpy as np
import pytest
import torch
from helpers.configs import config, synthetic_config
from helpers.skeletons import coco_annotations
from mmaction.registry import DATASETS, MODELS
from mmengine.dataset import ConcatDataset
from PIL import Image

from hiclr_mmaction.datasets.seeded import SeededDataset
from hiclr_mmaction.visualization import (
    animate_views,
    draw_views,
    sample_views,
    to_pixels,
)


@pytest.fixture
def built(tmp_path):
    """Build the training set and the model of the small embedded default."""

    def build(**options):
        cfg = synthetic_config(tmp_path, **options)
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        return dataset, MODELS.build(cfg.model)

    return build


def test_views_are_those_of_the_pipeline_and_no_generator_is_changed(built):
    dataset, model = built()
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    views = sample_views(dataset, model, index=3, seed=1)
    assert torch.rand(1) == expected
    assert [v.name for v in views] == ['key', 'query 1', 'query 2', 'query 3']
    again = sample_views(dataset, model, index=3, seed=1)
    other = sample_views(dataset, model, index=3, seed=2)
    for view, same, new in zip(views, again, other, strict=True):
        assert view.keypoint.shape == (1, 24, 25, 3)
        np.testing.assert_array_equal(view.keypoint, same.keypoint)
        assert (view.keypoint != new.keypoint).any()
    assert [v.mask is None for v in views] == [True, True, True, False]
    # int(25 * 0.1) of the joints of every frame
    np.testing.assert_array_equal(views[3].mask.sum(1), 2)


def test_dropped_and_added_edges_and_mixed_statistics_are_told(built):
    dataset, model = built(**{
        'model.graph_augment': dict(drop=0.9, add=0.5),
        'model.data_preprocessor.ada_in': dict(dims='TV'),
    })  # fmt: skip
    plain = sample_views(*built())
    views = sample_views(dataset, model)
    bones = set(model.data_preprocessor.layout.bones)
    assert 0 < len(views[3].dropped) <= len(bones)
    assert views[3].dropped <= bones
    pairs = bones | {bone[::-1] for bone in bones}
    assert views[3].added
    assert not views[3].added & pairs
    assert views[3].applied[-2:] == ('SkeleAdaIN', 'DropEdges, AddEdges')
    assert (views[3].keypoint != plain[3].keypoint).any()
    for view, same in zip(views[:3], plain[:3], strict=True):
        assert not view.dropped | view.added
        np.testing.assert_array_equal(view.keypoint, same.keypoint)


def test_views_of_a_pipeline_are_drawn_and_a_config_without_any_is_refused(built):
    dataset, model = built()
    growing, model.data_preprocessor.views = model.data_preprocessor.views, None
    with pytest.raises(ValueError, match='data_preprocessor has no views'):
        sample_views(dataset, model)
    model.data_preprocessor.views = growing
    expected = sample_views(dataset, model)
    dataset.pipeline.transforms.insert(1, growing)
    views = sample_views(dataset, model)
    assert views[3].mask.shape == expected[3].mask.shape
    assert views[3].applied == ('made in the pipeline',)


def test_views_of_the_fast_config_are_drawn_of_its_resident_clips(tmp_path):
    cfg = synthetic_config(tmp_path)
    model = MODELS.build(cfg.model)
    plain = DATASETS.build(cfg.train_dataloader.dataset)
    resident = DATASETS.build(
        dict(type='ResidentClips', dataset=cfg.train_dataloader.dataset)
    )
    expected = sample_views(plain, model, index=2)
    for view, same in zip(
        sample_views(SeededDataset(resident), model, index=2), expected, strict=True
    ):
        np.testing.assert_array_equal(view.keypoint, same.keypoint)


def test_a_wrapped_set_is_looked_into_and_a_missing_clip_named(built):
    dataset, model = built()
    views = sample_views(ConcatDataset([dataset, dataset]), model)
    np.testing.assert_array_equal(
        views[0].keypoint, sample_views(dataset, model)[0].keypoint
    )
    with pytest.raises(
        ValueError, match='index=24: the training set has clips 0 to 23'
    ):
        sample_views(dataset, model, index=24)
    with pytest.raises(ValueError, match='the model Linear has no data preprocessor'):
        sample_views(dataset, torch.nn.Linear(1, 1))


def test_picture_has_a_row_a_view_with_its_names_and_masked_joints(built):
    dataset, model = built()
    views = sample_views(dataset, model)
    layout = model.data_preprocessor.layout
    figure = draw_views(views, layout, num_frames=3)
    assert len(figure.axes) == 4 * 3
    shown = ' '.join(t.get_text().replace('\n', ' ') for t in figure.texts)
    for view in views:
        assert view.name in shown
        assert ', '.join(view.applied) in shown
    circles = [len(axes.collections[-1].get_offsets()) for axes in figure.axes]
    assert circles == [0] * 9 + [2] * 3
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ['left', 'right', 'middle', 'masked joint']
    to_pixels(figure)  # lays it out
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.axes[0].get_window_extent().x0 + 1
    with pytest.raises(ValueError, match='num_frames=0'):
        draw_views(views, layout, 0)


def test_animation_has_all_frames_side_by_side(built, tmp_path):
    dataset, model = built()
    views = sample_views(dataset, model)
    path = tmp_path / 'views.gif'
    animate_views(views, model.data_preprocessor.layout, path, fps=20, frame_size=0.8)
    with Image.open(path) as image:
        assert image.n_frames == 24
        assert image.info['duration'] == 50
        assert image.size[0] == 4 * 0.8 * 80
        first = np.asarray(image.convert('RGB'))
        image.seek(12)
        assert (first != np.asarray(image.convert('RGB'))).any()
        assert (first[:5, -5:] == 255).all()


def test_views_in_an_image_are_drawn(tmp_path):
    cfg = config('hiclr_stgcn_coco2d')
    content = coco_annotations(
        actions=['wave'], num_subjects=2, num_val_subjects=1, clips_per_action=1
    )
    path = tmp_path / 'coco.pkl'
    path.write_bytes(pickle.dumps(content))
    cfg.train_dataloader.dataset.ann_file = str(path)
    cfg.model.queue_size = 8
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    model = MODELS.build(cfg.model)
    views = sample_views(dataset, model)
    assert views[3].mask.shape == (50, 17)
    figure = draw_views(views, model.data_preprocessor.layout, num_frames=2)
    assert len(figure.axes) == 8
    with pytest.raises(ValueError, match='turn=20'):
        draw_views(views, model.data_preprocessor.layout, turn=20)
