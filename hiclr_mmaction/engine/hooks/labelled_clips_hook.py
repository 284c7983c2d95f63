"""The labelled clips of a semi-supervised run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from ...atomic_write import write_text
from ...datasets import LabelledFraction
from ...datasets.seeded import SeededDataset


@HOOKS.register_module()
class LabelledClipsHook(Hook):
    """Save the clips that :class:`LabelledFraction` chose, in the work directory.

    The file has ``fraction``, ``clips_per_class``, ``seed``, ``num_whole`` (clips of the
    whole set) and ``clips`` (``index`` in the whole set, ``name``, ``label``). A run
    resumed in the same work directory must have the same choice; with ``--resume`` and no
    seed it takes over the choice.

    Args:
        file_name (str): Name of the file.

    Raises:
        ValueError: Before the first iteration, if the training set is no
            :class:`LabelledFraction`, or the work directory holds another choice.
    """

    def __init__(self, file_name: str = 'labelled_clips.json') -> None:
        self.file_name = file_name

    def before_train(self, runner) -> None:
        """Write the file, or compare with it."""
        dataset = runner.train_dataloader.dataset
        if isinstance(dataset, SeededDataset):  # put there by ResumableTrainLoop
            dataset = dataset.dataset
        if not isinstance(dataset, LabelledFraction):
            raise ValueError(
                f'LabelledClipsHook: train_dataloader.dataset is {type(dataset).__name__}'
                ', not LabelledFraction; remove the hook from custom_hooks.'
            )
        path = Path(runner.work_dir, self.file_name)
        saved = json.loads(path.read_text(encoding='utf-8')) if path.exists() else None
        if saved and runner._resume and dataset.follows_run:
            dataset.choose(saved['seed'])  # --resume without the --seed of the run
        choice: dict[str, Any] = dict(
            fraction=dataset.fraction,
            clips_per_class=dataset.clips_per_class,
            seed=dataset.seed,
            num_whole=len(dataset.dataset),
            clips=dataset.clips,
        )
        if saved:
            if saved != choice:
                raise ValueError(
                    f'{path} holds the clips of another choice than fraction='
                    f'{dataset.fraction}, clips_per_class={dataset.clips_per_class}, '
                    f'seed={dataset.seed} of this data set; go on with the same --seed, '
                    'use another --work-dir, or remove the file.'
                )
        elif is_main_process():
            write_text(json.dumps(choice, indent=1), path)
