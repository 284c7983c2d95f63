"""The forms of custom files, and their readers."""

from __future__ import annotations

from pathlib import Path

from .arrays import ARRAY_FORM, read_npy
from .detections import FILE_FORMS, FRAME_FORMS, is_image, read_images, read_json
from .form import Form, Options, Recording
from .tables import TABLE_FORMS, read_csv

FORMS: tuple[Form, ...] = (*TABLE_FORMS, *FILE_FORMS, *FRAME_FORMS, ARRAY_FORM)
READERS = {'.csv': read_csv, '.json': read_json, '.jsonl': read_json, '.npy': read_npy}


def read_form(path: Path, options: Options) -> Recording:
    """Read a file of any form, by its suffix and content."""
    return READERS[path.suffix.lower()](path, options)


def forms_table() -> str:
    """The forms and an example of each in Markdown, for the documentation."""
    lines = ['| form | file | content |', '|---|---|---|']
    lines += [f'| {form.name} | {form.file} | {form.about} |' for form in FORMS]
    for form in FORMS:
        lines += ['', f'{form.name} ({form.file}):', '', '```text', form.example, '```']
    return '\n'.join(lines)


def forms_summary() -> str:
    """The forms in lines of text, for ``--help``."""
    return '\n'.join(f'- {f.file}, {f.name}: {f.about}' for f in FORMS)


__all__ = [
    'FORMS',
    'READERS',
    'Form',
    'Options',
    'Recording',
    'forms_summary',
    'forms_table',
    'is_image',
    'read_form',
    'read_images',
]
