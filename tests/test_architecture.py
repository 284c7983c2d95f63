"""The floors of the house: no import runs up, none in a circle."""

import ast
from graphlib import TopologicalSorter

from helpers.paths import ROOT

PACKAGE = ROOT / 'hiclr_mmaction'
# Rooms by floor, the lowest first; rooms of one floor may use each other.
FLOORS = [
    ['version', 'atomic_write'],
    ['skeleton'],
    ['accelerate', 'compat'],
    ['annotations', 'views'],
    ['models', 'datasets', 'converters', 'zoo'],
    # Exports are of our models; what only reads weights imports nothing above skeleton.
    ['methods', 'checkpoint'],
    ['safe_loading'],
    ['engine', 'evaluation', 'visualization', 'apis'],
    ['cli'],
]
FLOOR = {room: i for i, floor in enumerate(FLOORS) for room in floor}


def imported(path):
    """Names of the package's modules that a file imports, below the package."""
    folder = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = folder[: len(folder) - node.level + 1]
            module = node.module.split('.') if node.module else []
            names = [[]] if module else [[alias.name] for alias in node.names]
            for name in names:
                yield [*base, *module, *name]
        elif isinstance(node, ast.ImportFrom | ast.Import):
            for name in getattr(node, 'names', ()):
                dotted = getattr(node, 'module', None) or name.name
                if dotted.split('.')[0] == PACKAGE.name:
                    yield dotted.split('.')[1:]


def arrows():
    """Which room imports which, and in which files."""
    found = {}
    for path in PACKAGE.rglob('*.py'):
        here = path.relative_to(PACKAGE).with_suffix('').parts[0]
        for module in imported(path) if here != '__init__' else ():
            if module and module[0] != here:
                found.setdefault((here, module[0]), []).append(path.name)
    return found


def test_every_room_has_a_floor():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix in ('', '.py')}
    assert rooms - {'__init__', '__pycache__', 'py'} <= FLOOR.keys()


def test_no_import_runs_up():
    up = {
        f'{here} -> {there}': files
        for (here, there), files in arrows().items()
        if FLOOR[here] < FLOOR[there]
    }
    assert not up


def test_rooms_import_in_no_circle():
    graph = {}
    for here, there in arrows():
        graph.setdefault(here, set()).add(there)
    TopologicalSorter(graph).prepare()


def test_a_method_imports_no_other():
    others = {path.stem for path in (PACKAGE / 'methods').glob('*.py')}
    others -= {'__init__', 'base'}
    for path in (PACKAGE / 'methods').glob('*.py'):
        if path.stem != '__init__':
            names = {m[1] for m in imported(path) if m[:1] == ['methods'] and m[1:]}
            assert not names & (others - {path.stem}), path.name
