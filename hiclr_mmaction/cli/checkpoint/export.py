"""Export a checkpoint to MMAction2 without this package, to a folder for a model hub, or to
ONNX.

Example:
    python tools/checkpoint/export.py work_dirs/pretrain/epoch_300.pth encoder.pth
    python tools/checkpoint/export.py work_dirs/pretrain/epoch_300.pth my_encoder/
    python tools/checkpoint/export.py encoder.pth other.pth --to-layout openni15
    python tools/checkpoint/export.py work_dirs/finetune/epoch_70.pth model.onnx
"""

import argparse
import sys

import hiclr_mmaction  # noqa: F401  registers the components

from ...checkpoint import build_model, export_checkpoint, export_onnx
from ...checkpoint.export import package_needed
from ...evaluation.protocol import read_config
from ..common import weights_file
from ..values import parse_layout


def main() -> None:
    parser = argparse.ArgumentParser(
        description='Export encoder and classifier to RecognizerGCN (OUT.pth or '
        'OUT.safetensors; a folder OUT also gets a model card), with stock STGCN where '
        'the widths allow, or to ONNX (OUT.onnx)'
    )
    parser.add_argument(
        'source', metavar='IN', help='checkpoint of a learner or a recognizer'
    )
    parser.add_argument(
        'target', metavar='OUT', help='.pth, .safetensors or .onnx file, or folder'
    )
    parser.add_argument(
        '--config',
        help='config of the model in IN, if the checkpoint does not store it or its '
        'backbone is from another project',
    )
    parser.add_argument(
        '--license',
        metavar='ID',
        help="for the model card: the weights' licence, such as cc-by-4.0",
    )
    parser.add_argument(
        '--to-layout',
        type=parse_layout,
        metavar='LAYOUT',
        help='another skeleton that the exported encoder is for, such as openni15: what it '
        'has for each joint is mapped joint by joint (not for ONNX)',
    )
    parser.add_argument(
        '--half', action='store_true', help='store weights in float16 (not for ONNX)'
    )
    parser.add_argument(
        '--num-frames',
        type=int,
        help="ONNX: frames of a clip (default: the checkpoint's, or 50)",
    )
    parser.add_argument(
        '--num-joints', type=int, help="ONNX: joints (default: the checkpoint's)"
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it exists'
    )
    args = parser.parse_args()
    args.source = weights_file(args.source)
    try:
        cfg = None if args.config is None else read_config(args.config).to_dict()
        if args.target.endswith('.onnx'):
            if args.to_layout or args.half:
                sys.exit('--to-layout and --half are not for ONNX; leave them out.')
            shapes = export_onnx(
                args.source,
                args.target,
                args.num_frames,
                args.num_joints,
                cfg,
                args.overwrite,
            )
            summary = ', '.join(f'{name} {shape}' for name, shape in shapes.items())
        else:
            model = export_checkpoint(
                args.source,
                args.target,
                cfg,
                args.overwrite,
                args.license,
                args.to_layout,
                args.half,
            )
            summary = f'{model["type"]} with {model["backbone"]["type"]}'
            needed = package_needed(build_model(model))
            summary += (
                f'; MMAction2 needs {needed} beside it, which its custom_imports names'
                if needed
                else ', which MMAction2 builds alone'
            )
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
    print(f'{args.target}: {summary}')
