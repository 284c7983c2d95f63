"""The options of converters of a folder and a table of labels."""

import argparse
import ast


def add_folder_options(parser: argparse.ArgumentParser, files: str) -> None:
    """Add the folder, ``--labels`` and ``--val-subjects``."""
    parser.add_argument('folder', help=f'folder of {files}; subfolders count')
    parser.add_argument(
        '--labels',
        metavar='CSV',
        help='table with the columns clip, label and if wanted subject, split; without '
        'it clips have no labels, which pre-training does not need',
    )
    parser.add_argument(
        '--val-subjects',
        nargs='+',
        default=[],
        metavar='SUBJECT',
        help='subjects to evaluate on: makes the splits xsub_train and xsub_val',
    )


def layout(text: str) -> str | dict:
    """The name of a layout, or the dict that the text writes."""
    if not text.lstrip().startswith('{'):
        return text
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise argparse.ArgumentTypeError(f'{text!r} is no dict: {error}') from error
