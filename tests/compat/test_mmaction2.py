"""mmaction2 1.2.0: what its wheel lacks, and nothing more."""

import importlib
import importlib.machinery
import sys

import pytest
from helpers.process import run_python

from hiclr_mmaction.compat import make_importable, mmcv, mmengine
from hiclr_mmaction.compat import mmaction2 as compat


def test_the_ranges_are_those_of_the_installed_mmaction2():
    import mmaction

    assert (
        mmaction.mmcv_minimum_version,
        mmaction.mmcv_maximum_version,
    ) == mmcv.MMCV_RANGE
    assert (
        mmaction.mmengine_minimum_version,
        mmaction.mmengine_maximum_version,
    ) == mmengine.MMENGINE_RANGE


def test_missing_mmaction_is_named_by_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmaction', None)
    with pytest.raises(ImportError, match="pip install 'mmaction2>="):
        compat.check_mmaction()


def test_installing_twice_adds_one_finder():
    make_importable()
    make_importable()
    finders = [f for f in sys.meta_path if isinstance(f, compat._DRNFinder)]
    assert len(finders) == 1
    # asked after Python's own finder, so that it never hides a real module
    own = sys.meta_path.index(importlib.machinery.PathFinder)
    assert sys.meta_path.index(finders[0]) > own


def test_models_import_and_a_missing_drn_says_so_when_built():
    make_importable()
    localizers = importlib.import_module('mmaction.models.localizers')
    if not isinstance(localizers.drn.__spec__.loader, compat._DRNFinder):
        pytest.skip('this mmaction2 has its own DRN')
    from mmaction.registry import MODELS

    with pytest.raises(ImportError, match='from its source'):
        MODELS.build(dict(type='DRN', vocab_size=1))


def test_an_mmaction2_that_has_drn_keeps_it(tmp_path):
    package = tmp_path / 'mmaction' / 'models' / 'localizers'
    (package / 'drn').mkdir(parents=True)  # no __init__.py there, as in its source
    for folder in (package, package.parent, package.parent.parent):
        (folder / '__init__.py').touch()
    (package / 'drn' / 'drn.py').write_text("class DRN:\n    own = 'yes'\n")
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from importlib import util
        spec = util.spec_from_file_location('compat', sys.argv[2])
        compat = util.module_from_spec(spec)
        spec.loader.exec_module(compat)
        compat.provide_drn()
        from mmaction.models.localizers.drn.drn import DRN
        print(DRN.own)
    """
    result = run_python(code, tmp_path, compat.__file__)
    assert result.stdout.split() == ['yes'], result.stderr


def test_no_other_missing_module_is_answered_for():
    compat.provide_drn()
    for name in ('mmaction.models.localizers.drnx', 'mmaction.models.drn'):
        assert compat._DRNFinder().find_spec(name) is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('mmaction.models.localizers.drn.drn_utils')
