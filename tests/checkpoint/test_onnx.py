"""ONNX: the same numbers in onnxruntime, any batch, any number of persons."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from hiclr_mmaction.checkpoint import export_onnx
from hiclr_mmaction.skeleton import get_layout, to_stream

onnxruntime = pytest.importorskip('onnxruntime', reason='extra `onnx` not installed')

BACKBONES = dict(
    HiCLRSTGCN=dict(
        type='HiCLRSTGCN',
        graph_cfg=dict(layout='kinect20', mode='stgcn_spatial'),
        base_channels=8,
        out_channels=32,
        num_stages=4,
        inflate_stages=[3],
        down_stages=[3],
    ),
    DSTANet=dict(type='DSTANet', num_joints=20, stages=[[8, 8, 4, 1], [8, 32, 4, 2]]),
)


def save(path, backbone, stream='joint'):
    """A fine-tuned model whose statistics are not those of a fresh one."""
    cfg = dict(
        type='RecognizerGCN',
        data_preprocessor=dict(
            type='SkeletonViewPreprocessor', layout='kinect20', stream=stream
        ),
        backbone=backbone,
        cls_head=dict(type='GCNHead', num_classes=7, in_channels=32),
    )
    model = MODELS.build(Config(dict(m=cfg)).m)
    model.backbone(torch.randn(8, 2, 16, 20, 3))
    text = Config(dict(model=cfg)).pretty_text
    torch.save(dict(meta=dict(cfg=text), state_dict=model.state_dict()), path)
    return model.eval()


@pytest.mark.parametrize(
    ('kind', 'stream', 'sizes', 'frames'),
    [
        ('HiCLRSTGCN', 'bone', (), 50),  # those of the checkpoint
        ('DSTANet', 'joint', (16, 20), 16),
    ],
)
@torch.no_grad()
def test_scores_are_pytorchs_for_any_batch_and_persons(
    kind, stream, sizes, frames, tmp_path
):
    model = save(tmp_path / 'a.pth', BACKBONES[kind], stream)
    shapes = export_onnx(tmp_path / 'a.pth', tmp_path / 'a.onnx', *sizes)
    clips = ['batch', 'persons', frames, 20, 3]
    assert shapes == dict(keypoint=clips, scores=['batch', 7])
    session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'))
    for num, persons in ((2, 2), (1, 1), (5, 3), (7, 1)):
        x = torch.randn(num, persons, frames, 20, 3)
        (scores,) = session.run(None, {'keypoint': x.numpy()})
        x = to_stream(x, stream, get_layout('kinect20'))
        expected = model.cls_head(model.backbone(x))
        torch.testing.assert_close(
            torch.from_numpy(scores), expected, rtol=0, atol=1e-4
        )


def test_wrong_sizes_are_an_error_and_leave_no_file(tmp_path):
    save(tmp_path / 'a.pth', BACKBONES['DSTANet'])
    with pytest.raises(ValueError, match='does not take clips of 16 frames, 25 joints'):
        export_onnx(tmp_path / 'a.pth', tmp_path / 'a.onnx', 16, 25)
    assert not (tmp_path / 'a.onnx').exists()
