"""A check of pre-trained weights before they are loaded."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop

from ...checkpoint import check_pretrained
from ...models.modules import bare_model


@HOOKS.register_module()
class PretrainedCheckHook(Hook):
    """Refuse to train on an encoder whose pre-trained weights do not fit.

    Checks the files of ``model.backbone.init_cfg`` (type ``Pretrained``) and ``load_from``.
    ``tools/train.py`` and :class:`LinearProbeLoop` call :meth:`check` before data are read;
    otherwise it runs before the weights are loaded.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file has no weights of a backbone, or they have another width or
            layout, or were trained on clips with another preparation (stream, layout,
            frames); the message gives the remedy.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._named: bool | None = None

    @classmethod
    def of(cls, runner) -> PretrainedCheckHook:
        """The hook of a runner, or one of its own."""
        return next((h for h in runner.hooks if isinstance(h, cls)), cls())

    def before_run(self, runner) -> None:
        """Run the check where a training begins; a test loads no such weights."""
        if isinstance(runner._train_loop, BaseLoop):
            self.check(runner)

    def check(self, runner) -> bool:
        """Run the check, once, on a built runner; returns whether weights are named."""
        if self._named is not None:
            return self._named
        model = bare_model(runner.model)
        load_from = None if runner._resume else runner._load_from
        self._named = check_pretrained(model, load_from, runner.cfg.to_dict())
        if not self._named:
            runner.logger.warning(
                'No pre-trained weights are named: the encoder starts from random ones. '
                "Set model.backbone.init_cfg=dict(type='Pretrained', checkpoint=..., "
                "prefix='backbone.') if it is not to."
            )
        return self._named
