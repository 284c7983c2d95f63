"""Convert a checkpoint of the released HiCLR project.

Example:
    python tools/checkpoint/from_hiclr.py released.pt hiclr.pth
"""

import argparse
import sys

import hiclr_mmaction  # noqa: F401  registers the components

from ...checkpoint import convert_hiclr
from ...evaluation.protocol import read_config


def main() -> None:
    parser = argparse.ArgumentParser(
        description='Convert released HiCLR weights (GCN or DSTA encoder; from '
        'pre-training, linear evaluation or fine-tuning)'
    )
    parser.add_argument('source', metavar='IN', help='.pt file of the released project')
    parser.add_argument('target', metavar='OUT', help='.pth file to write')
    parser.add_argument(
        '--layout',
        default='nturgb+d-stgcn',
        help='skeleton that the weights are for (default: %(default)s)',
    )
    parser.add_argument(
        '--config', help='also check that the weights fit the model of this config'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it exists'
    )
    args = parser.parse_args()
    try:
        model = None if args.config is None else read_config(args.config).model
        model = convert_hiclr(
            args.source, args.target, args.layout, model, args.overwrite
        )
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(f'{args.target}: {model["type"]} with {model["backbone"]["type"]}')
