"""One door per heavy package, and none for what runs code out of a file."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for room in ("zoo", "plugins") for path in (ROOT / room).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in FILES}

DOORS = {
    "accelerate": ["zoo/training/distributed.py", "zoo/training/trackers.py"],
    "safetensors": ["zoo/files/safetensors.py"],
    "filelock": ["zoo/files/atomic.py"],
    "llvmlite": ["zoo/fused/compiler.py", "zoo/fused/codegen/*.py"],
    "huggingface_hub": ["zoo/hub/*.py"],
    "onnxruntime": ["zoo/export/formats.py"],
    "yaml": ["zoo/saving/card_merge.py"],
    "pluggy": ["zoo/plugins/hookspecs.py", "zoo/plugins/contract.py"],
    "PIL": ["zoo/data/image_files.py"],
    "pyarrow": ["zoo/data/readers/parquet.py"],
    "torchvision": ["zoo/data/readers/torchvision.py", "plugins/zoo_torchvision/*.py"],
    "scipy": ["zoo/metrics/classification.py", "plugins/zoo_image_sets/shrink.py"],
    "torchmetrics": ["zoo/metrics/classification.py"],
    "matplotlib": ["zoo/plots/*.py"],
    "click": ["zoo/cli/*.py"],
    "pytest": ["zoo/pytest_plugin.py"],
    "rich": ["zoo/experiment/progress.py", "zoo/training/progress.py"],
    "timm": ["plugins/*.py", "zoo/integrations/timm.py"],
    "torch_geometric": ["plugins/*.py"],
}
RUNS_CODE = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def imported(tree):
    """Yield every module that a file imports, at its top or inside a function, by full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):  # import_module, __import__
            yield from (word.value for word in node.args if isinstance(word, ast.Constant))


def importers(package):
    return [name for name, tree in TREES.items() if package in {str(each).split(".")[0] for each in imported(tree)}]


def dangers(tree):
    """Yield what in a file could run code that came as data."""
    yield from (each for each in imported(tree) if str(each).split(".")[0] in RUNS_CODE or each == "torch.load")
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) in ("eval", "exec", "builtins.eval", "builtins.exec", "torch.load"):
            yield ast.unparse(call)
        if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in call.keywords):
            yield ast.unparse(call)


@pytest.mark.parametrize("package", DOORS)
def test_a_heavy_package_is_imported_only_by_its_door(package):
    elsewhere = [name for name in importers(package) if not any(fnmatchcase(name, door) for door in DOORS[package])]
    assert elsewhere == []


@pytest.mark.parametrize("door", sorted({door for doors in DOORS.values() for door in doors if "*" not in door}))
def test_every_door_is_in_use(door):
    packages = [package for package, doors in DOORS.items() if door in doors]
    assert all(door in importers(package) for package in packages)


def test_nothing_runs_code_that_came_as_data():
    print(f"{len(TREES)} files scanned")
    assert {name: unsafe for name, tree in TREES.items() if (unsafe := list(dangers(tree)))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "import_module('marshal')",
        "torch.load(path)",
        "from torch import load",
        "eval(text)",
        "exec(text)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
    ],
)
def test_the_scan_would_see_it(line):
    assert list(dangers(ast.parse(line)))


@pytest.mark.parametrize("line", ["net.eval()", "np.load(path, allow_pickle=False)", "from zoo import load"])
def test_the_scan_leaves_honest_lines_alone(line):
    assert not list(dangers(ast.parse(line)))
