"""A check of labels against classes before the first iteration."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop

from ...annotations.clip_checks import sample_name
from ...datasets.wrapped import innermost
from ...models.modules import bare_model


@HOOKS.register_module()
class LabelsCheckHook(Hook):
    """Check that a classifier has a class for every label.

    Without it the loss fails with an index that is out of range, on a GPU far from
    where it came from.

    Raises:
        ValueError: Before the first iteration, if a clip of the training or the
            validation set has no label, or one beyond ``model.cls_head.num_classes``.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner) -> None:
        """Compare every label with the number of classes, where a training begins."""
        if not isinstance(runner._train_loop, BaseLoop):  # a test
            return
        num_classes = bare_model(runner.model).cls_head.num_classes
        loops = dict(
            train_dataloader=runner._train_loop, val_dataloader=runner._val_loop
        )
        for setting, loop in loops.items():
            # Not before_train: LinearProbeLoop has run the encoder by then.
            for part in () if loop is None else innermost(loop.dataloader.dataset):
                if isinstance(part, BaseDataset):
                    _check_labels(part, num_classes, setting)


def _check_labels(dataset: BaseDataset, num_classes: int, setting: str) -> None:
    for i in range(len(dataset)):
        # Not the data set's own get_data_info: a label needs no clip read.
        info = BaseDataset.get_data_info(dataset, i)
        label = info.get('label')
        if label is None:
            raise ValueError(
                f'{setting}: clip {sample_name(info)!r} has no label; leave such clips '
                'out by filter_cfg=dict(labelled=True), or pre-train on them.'
            )
        if not 0 <= int(label) < num_classes:
            raise ValueError(
                f'{setting}: clip {sample_name(info)!r} has the label {int(label)}, but '
                f'model.cls_head.num_classes={num_classes} has classes 0 to '
                f'{num_classes - 1}; set it to the number of classes of the data.'
            )
