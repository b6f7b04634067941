"""Looking at the zoo is light: torch and numpy are imported only when something is built."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "scipy", "PIL", "accelerate", "matplotlib", "pyarrow", "torchvision", "torch_geometric")
TORCH_LINE = {
    "values": "errors pytest_plugin recipe registries signature task_info",
    "files": "atomic checked_json paths safetensors_header",
    "training.checkpoint": "interval run_file",
    "plugins": "*",
    "saving": "* -artifact",
    "hub": "* -publish",
    "cli": "*",
}
"""Modules that import neither torch nor numpy, by package; `*` is all of a package, `-name` all but one."""

SEEN = f"""
import json, sys, time
print(json.dumps([sorted(set({HEAVY!r}) & sys.modules.keys()), time.process_time()]))
"""


def after(source):
    """Return (heavy packages imported, seconds of CPU used) of a fresh Python after running `source`."""
    process = subprocess.run([sys.executable, "-c", source + SEEN], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def command(*words):
    """Return the source that runs a command of zoo in this process and goes on."""
    run = f"import zoo.cli.main\ntry:\n    zoo.cli.main.main({list(words)!r})\n"
    return run + "except SystemExit as end:\n    assert not end.code\n"


LOOKS = {
    "import zoo": "import zoo",
    "zoo.models": "import zoo\nassert 'gcn-7x7' in zoo.models and zoo.models.find('gcn-*') and repr(zoo.models)",
    "every registry": "import zoo\nassert [dict(s) for s in (zoo.models, zoo.encoders, zoo.datasets, zoo.experiments)]",
    "the values": "from zoo import Command, DatasetSpec, EncoderSpec, Experiment, ModelSpec, Recipe, Row, hookimpl",
    "zoo list": command("list"),
    "zoo list --json": command("list", "datasets", "--json"),
    "zoo info": command("info", "gcn-7x7"),
    "zoo plugins": command("plugins"),
    "zoo --help": command("--help"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_imports_nothing_heavy(look):
    heavy, seconds = after(LOOKS[look])
    print(f"{look}: {seconds:.3f} s CPU")
    assert heavy == []


def list_modules(package):
    """Return the full names of a package's modules below the torch line."""
    names = TORCH_LINE[package].split()
    if "*" in names:
        folder = ROOT / "zoo" / package
        names = [path.stem for path in folder.glob("*.py") if f"-{path.stem}" not in names and path.stem != "__init__"]
    prefix = "zoo" if package == "values" else f"zoo.{package}"
    return [f"{prefix}.{name}" for name in sorted(names)]


@pytest.mark.parametrize("package", TORCH_LINE)
def test_modules_below_the_torch_line_import_nothing_heavy(package):
    modules = list_modules(package)
    assert after(f"import {', '.join(modules)}")[0] == []


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
def test_listing_zoos_models_imports_less_than_importing_timm():
    _, bare = after("")
    light, zoo_seconds = after("import zoo\nlist(zoo.models)")
    heavy, timm_seconds = after("import timm")
    print(f"CPU: import zoo + listing {zoo_seconds:.2f} s, import timm {timm_seconds:.2f} s, Python {bare:.2f} s")
    assert set(light) < set(heavy)
