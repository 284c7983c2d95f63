"""Our models as ONNX."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..atomic_write import whole_file
from ..models import SkeletonViewPreprocessor
from ..skeleton import SkeletonLayout, layer_features, side_by_side, to_stream
from .export import exported_weights
from .matching import build_model, load_weights
from .preparation import preparation, preparation_of, trained_on
from .reading import read_checkpoint
from .stored_config import model_cfg_of
from .writing import check_writable


class DeployedModel(nn.Module):
    """From aligned clips to scores or, without a classifier, to features.

    The stream is made inside, where :class:`SkeletonViewPreprocessor` makes it.
    """

    def __init__(
        self,
        backbone: nn.Module,
        cls_head: nn.Module | None = None,
        preprocessor: nn.Module | None = None,
        pool: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.cls_head = cls_head
        self.pool = dict(pool or {})
        self.stream = 'joint'
        self.layout: SkeletonLayout | None = None
        if isinstance(preprocessor, SkeletonViewPreprocessor):
            self.stream, self.layout = preprocessor.stream, preprocessor.layout

    def forward(self, keypoint: Tensor) -> Tensor:
        """Map ``(N, M, T, V, C)`` to scores before softmax, or features, ``(N, ...)``."""
        if self.layout is not None and self.stream != 'joint':
            keypoint = to_stream(keypoint, self.stream, self.layout)
        if self.cls_head is not None:
            return self.cls_head(self.backbone(keypoint))
        return side_by_side(layer_features(self.backbone, keypoint, self.pool))


def export_onnx(
    source: str | os.PathLike,
    target: str | os.PathLike,
    num_frames: int | None = None,
    num_joints: int | None = None,
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict[str, list]:
    """Export a model to ONNX: clips ``keypoint (N, M, T, V, C)`` to ``scores``.

    A model without a classifier returns ``features``, pooled as in training. The
    batch size is free. So is the number of persons, unless the backbone normalises each
    person separately (``data_bn_type='MVC'``). Needs torch 2.6 or newer.

    Args:
        source (str | os.PathLike): Checkpoint of ``HiCLR`` or a recognizer.
        target (str | os.PathLike): The ``.onnx`` file to write.
        num_frames (int, optional): ``T``; by default the number of frames after alignment,
            or 50 if the config does not align clips.
        num_joints (int, optional): ``V``; by default the layout's.
        config (Mapping, optional): The full config of ``source``; by default the config
            stored in it.
        overwrite (bool): Whether an existing ``target`` is replaced.

    Returns:
        dict[str, list]: Shapes of input and output; free sizes are given by name.

    Raises:
        ImportError: If onnx or onnxscript is not installed.
        FileNotFoundError: If ``source`` does not exist.
        FileExistsError: If ``target`` exists and ``overwrite`` is false.
        ValueError: As :func:`export_checkpoint`.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"export to ONNX needs {error.name}: pip install 'hiclr-mmaction[onnx]'"
        ) from None
    check_writable(target, overwrite)
    checkpoint = read_checkpoint(source)
    if config is None:
        model, prepared = (
            model_cfg_of(checkpoint, source),
            preparation_of(checkpoint, source),
        )
    else:
        model, prepared = dict(config['model']), preparation(config)
    # An exported encoder keeps it beside its config.
    model.setdefault('pool', (checkpoint.get('meta') or {}).get('pool'))
    layout, frames = trained_on(prepared)
    num_frames = num_frames or frames or 50
    if num_joints is None:
        if layout is None:
            raise ValueError(f'{source} does not store its layout: give --num-joints.')
        num_joints = layout.num_joints
    deployed = build_deployed(model, checkpoint['state_dict'], source)
    channels = model['backbone'].get('in_channels', 3)
    persons, any_persons = _num_persons(
        deployed, model['backbone'], num_frames, num_joints, channels
    )
    # Free sizes are 2, because the exporter takes a size of 1 as fixed.
    example = torch.zeros(2, persons, num_frames, num_joints, channels)
    sizes = {0: torch.export.Dim('batch')}
    if any_persons:
        sizes[1] = torch.export.Dim('persons')
    output = 'features' if deployed.cls_head is None else 'scores'
    with whole_file(target) as part, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # of the exporter, about itself
        torch.onnx.export(
            deployed,
            (example,),
            part,
            input_names=['keypoint'],
            output_names=[output],
            dynamic_shapes=(sizes,),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    width = deployed(example).shape[1]
    shape = [
        sizes[i].__name__ if i in sizes else n for i, n in enumerate(example.shape)
    ]
    return {'keypoint': shape, output: ['batch', width]}


def build_deployed(
    model: Mapping[str, Any],
    state_dict: Mapping[str, Tensor],
    source: str | os.PathLike,
) -> DeployedModel:
    """Build backbone and classifier of a model, with weights, in evaluation mode."""
    weights = exported_weights(state_dict, source)
    cls_head, preprocessor = (
        None if model.get(name) is None else build_model(model[name], source)
        for name in ('cls_head', 'data_preprocessor')
    )
    backbone = build_model(model['backbone'], source)
    deployed = DeployedModel(backbone, cls_head, preprocessor, model.get('pool'))
    load_weights(deployed, weights, source)
    return deployed.eval()


def _num_persons(
    deployed: DeployedModel,
    backbone: Mapping[str, Any],
    num_frames: int,
    num_joints: int,
    channels: int,
) -> tuple[int, bool]:
    """Number of persons of the example input, and whether other numbers work too."""

    def works(persons: int) -> bool:
        clip = torch.zeros(1, persons, num_frames, num_joints, channels)
        try:
            deployed.backbone(clip)
        except (RuntimeError, ValueError):
            return False
        return True

    if works(2) and works(3):
        return 2, True
    fixed = backbone.get('num_person', 2)
    if not works(fixed):
        raise ValueError(
            f'the backbone does not take clips of {num_frames} frames, {num_joints} '
            f'joints and {channels} coordinates; give the numbers it was trained with.'
        )
    return fixed, False
