"""Export a checkpoint of ours: for MMAction2 without this package, or to ONNX.

Example:
    python tools/checkpoint/export.py work_dirs/pretrain/epoch_300.pth encoder.pth
    python tools/checkpoint/export.py work_dirs/finetune/epoch_70.pth model.onnx
"""

import argparse
import sys

import hiclr_mmaction  # noqa: F401  registers the components

from ...checkpoint import export_checkpoint, export_onnx
from ...evaluation.protocol import read_config


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Export encoder and classifier to RecognizerGCN (OUT.pth), with '
        'stock STGCN where the widths allow, or to ONNX (OUT.onnx)'
    )
    parser.add_argument(
        'source', metavar='IN', help='checkpoint of HiCLR or RecognizerGCN'
    )
    parser.add_argument('target', metavar='OUT', help='.pth or .onnx file to write')
    parser.add_argument(
        '--config',
        help='config of the model in IN, where the checkpoint does not tell it or its '
        'backbone is from another project',
    )
    parser.add_argument(
        '--num-frames',
        type=int,
        default=50,
        help='ONNX: frames of a clip (default: 50)',
    )
    parser.add_argument(
        '--num-joints', type=int, default=25, help='ONNX: joints (default: 25)'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it is there'
    )
    return parser.parse_args(argv)


def main() -> None:
    args = parse_args()
    try:
        model = None if args.config is None else read_config(args.config).model
        if args.target.endswith('.onnx'):
            shapes = export_onnx(
                args.source,
                args.target,
                args.num_frames,
                args.num_joints,
                model,
                args.overwrite,
            )
            told = ', '.join(f'{name} {shape}' for name, shape in shapes.items())
        else:
            model = export_checkpoint(args.source, args.target, model, args.overwrite)
            told = f'{model["type"]} with {model["backbone"]["type"]}'
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
    print(f'{args.target}: {told}')


if __name__ == '__main__':
    main()
