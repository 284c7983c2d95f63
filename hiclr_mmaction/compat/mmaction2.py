"""Workarounds for mmaction2 1.2.0."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types


def check_mmaction() -> None:
    """Raise an ImportError, which says what to install, if mmaction2 is missing."""
    if importlib.util.find_spec('mmaction') is None:
        raise ImportError(
            "mmaction is not installed: pip install 'mmaction2>=1.2.0,<2.0.0'"
        )


class _DRNFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for `mmaction.models.localizers.drn` when no other finder does."""

    PACKAGE = 'mmaction.models.localizers.drn'
    MODULE = 'mmaction.models.localizers.drn.drn'

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in (self.PACKAGE, self.MODULE):
            return None
        return importlib.machinery.ModuleSpec(
            fullname, self, is_package=fullname == self.PACKAGE
        )

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ != self.MODULE:
            return
        import torch
        from mmaction.registry import MODELS

        @MODELS.register_module()
        class DRN(torch.nn.Module):
            """Stand-in for a localizer that this mmaction2 does not contain."""

            def __init__(self, *args, **kwargs):
                raise ImportError(
                    "type='DRN' cannot be built: the wheel of mmaction2 1.2.0 was "
                    'published without mmaction/models/localizers/drn; install '
                    'mmaction2 from its source to use DRN'
                )

        DRN.__module__ = self.MODULE
        vars(module)['DRN'] = DRN


def provide_drn() -> None:
    """Make `import mmaction.models` work without the folder `localizers/drn`.

    For mmaction2 1.2.0 from PyPI, whose wheel lacks that folder while
    `mmaction/models/localizers/__init__.py` imports it (mmaction2 issue 2714).
    The finder goes to the end of `sys.meta_path`, where it is asked only when
    all others have found nothing, so an mmaction2 that has the folder, such as
    one installed from source, keeps its own DRN.
    """
    if not any(isinstance(finder, _DRNFinder) for finder in sys.meta_path):
        sys.meta_path.append(_DRNFinder())
