"""Looking at the zoo is light: torch and numpy are imported only when something is built."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = ("torch", "numpy", "scipy", "PIL", "accelerate", "matplotlib", "pyarrow", "torchvision", "torch_geometric")
GROUND_FLOOR = (
    "errors",
    "registries",
    "task_info",
    "signature",
    "plugins.spec",
    "plugins.experiment_spec",
    "plugins.source",
    "plugins.entry_points",
    "plugins.contract",
    "plugins.registry",
    "plugins.hookspecs",
    "plugins.discovery",
    "plugins.catalog",
    "plugins.doctor",
    "plugins.import_string",
    "plugins.scaffold",
    "recipe",
    "history",
    "saving.reference",
    "saving.manifest",
    "saving.card",
    "saving.card_merge",
    "saving.folder",
    "saving.bundled",
    "files.checked_json",
    "files.safetensors_header",
    "files.paths",
    "files.atomic",
    "hub",
    "hub.resolve",
    "cli.main",
)

SEEN = f"""
import json, sys, time
print(json.dumps([sorted(set({HEAVY!r}) & sys.modules.keys()), time.process_time()]))
"""


def after(source):
    """Return (heavy packages imported, seconds of CPU used) of a fresh Python after running `source`."""
    done = subprocess.run([sys.executable, "-c", source + SEEN], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


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


@pytest.mark.parametrize("module", GROUND_FLOOR)
def test_the_ground_floor_imports_nothing_heavy(module):
    assert after(f"import zoo.{module}")[0] == []


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
def test_listing_zoos_models_imports_less_than_importing_timm():
    _, bare = after("")
    light, ours = after("import zoo\nlist(zoo.models)")
    heavy, theirs = after("import timm")
    print(f"CPU: import zoo + listing {ours:.2f} s, import timm {theirs:.2f} s, bare Python {bare:.2f} s")
    assert set(light) < set(heavy)
