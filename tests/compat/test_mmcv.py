"""mmcv: which releases are accepted, and what is said of others."""

import re
import sys

import pytest

from hiclr_mmaction.compat import mmcv as compat


def test_missing_mmcv_is_one_line_with_both_remedies(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv', None)
    with pytest.raises(ImportError) as error:
        compat.check_mmcv()
    message = str(error.value)
    assert message.startswith('mmcv is not installed')
    assert "pip install 'mmcv-lite>=2.0.0,<2.2.0'" in message
    assert "pip install 'mmcv>=2.0.0,<2.2.0'" in message
    assert '\n' not in message


@pytest.mark.parametrize('version', ['1.7.2', '2.0.0rc3', '2.2.0', '3.0.0'])
def test_mmcv_outside_the_range_is_named_with_the_remedy(monkeypatch, version):
    monkeypatch.setattr('mmcv.__version__', version)
    with pytest.raises(ImportError, match=re.escape(f'mmcv=={version}')) as error:
        compat.check_mmcv()
    assert "'mmcv-lite>=2.0.0,<2.2.0'" in str(error.value)


@pytest.mark.parametrize('version', ['2.0.0rc4', '2.0.1', '2.1.0'])
def test_mmcv_within_the_range_passes(monkeypatch, version):
    monkeypatch.setattr('mmcv.__version__', version)
    compat.check_mmcv()
