"""What importing the package changes of the host: nothing but mmaction2's lack."""

from helpers.process import run_python

# Takes down names, registries and tables of the host before and after the import.
SNAPSHOT = """
import json, sys
import importlib.metadata
import importlib_metadata, mmcv, mmcv.cnn, mmcv.cnn.bricks.transformer
import mmcv.transforms, mmengine, torch
import mmengine.dataset, mmengine.evaluator, mmengine.fileio, mmengine.hooks
import mmengine.infer, mmengine.model, mmengine.optim, mmengine.runner
import mmengine.visualization, numpy
from mmengine import registry
from mmengine.fileio import backends
from mmengine.runner import CheckpointLoader

def contents():
    found = {}
    hosts = ('mmengine', 'mmcv', 'torch', 'numpy')
    for name, module in list(sys.modules.items()):
        if name.partition('.')[0] in hosts and module is not None:
            for key, value in list(vars(module).items()):
                if not isinstance(value, type(sys)):
                    found[f'{name}.{key}'] = id(value)
                if isinstance(value, type) and value.__module__.startswith('mm'):
                    for k, v in vars(value).items():
                        found[f'{name}.{key}.{k}'] = id(v)
    tables = dict(
        schemes=CheckpointLoader._schemes,
        backends=backends.registry_utils.backends,
        prefixes=backends.registry_utils.prefix_to_backends,
        safe_globals={str(g): 0 for g in torch.serialization.get_safe_globals()},
        **{k: v._module_dict for k, v in vars(registry).items()
           if isinstance(v, registry.Registry)},
    )
    for table, entries in tables.items():
        for key, value in entries.items():
            # mmengine's FUNCTIONS have no child in mmaction to register in.
            ours = ('hiclr_mmaction', 'mmaction')
            if not getattr(value, '__module__', '').startswith(ours):
                found[f'{table}[{key}]'] = id(value)
    return found

before, modules = contents(), set(sys.modules)
finders = list(sys.meta_path)
import hiclr_mmaction
after = contents()
new = set(sys.modules) - modules
print(json.dumps(dict(
    changed=[k for k, v in before.items() if after.get(k) != v],
    added=[k for k in set(after) - set(before)
           if not any(k.startswith(name + '.') for name in new)],
    finders=[type(f).__name__ for f in sys.meta_path if f not in finders],
)))
"""


def test_importing_changes_nothing_of_the_host():
    result = run_python(SNAPSHOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().splitlines()[-1] == (
        '{"changed": [], "added": [], "finders": ["_DRNFinder"]}'
    )


def test_importing_warns_of_nothing_that_is_not_needed():
    result = run_python('import hiclr_mmaction')
    assert result.returncode == 0, result.stderr
    assert 'MultiScaleDeformableAttention' not in result.stderr
