"""The three journeys of data in docs/house.md are what runs: the files they list are entered in that order."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACE = """
import json, sys
import zoo
ROOT = {root!r} + "/"
entered = {{}}

def record(frame, event, argument):
    # Functions alone: a module or class body (neither is optimized code) runs when it is imported.
    if event == "call" and frame.f_code.co_flags & 1 and frame.f_code.co_filename.startswith(ROOT + "zoo/"):
        entered.setdefault(frame.f_code.co_filename.removeprefix(ROOT))

{before}
sys.setprofile(record)
{journey}
sys.setprofile(None)
print(json.dumps(list(entered)))
"""
FIT = """
import torch
train = zoo.dataset("fashion-mnist-7x7").train.take(256, seed=0)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(train.images, train.labels), batch_size=64)
model = zoo.create("gcn-7x7", seed=0)
"""
JOURNEYS = {
    "Fit of a loader": (FIT, "model.fit(loader, epochs=1, progress=False, checkpoint='run')"),
    "Load of a folder": ("folder = zoo.create('gcn-7x7', seed=0).save('saved')", "zoo.load(folder)"),
    "A plugin found and quarantined": (
        "from zoo.plugins.doctor import diagnose",
        "assert 'gcn-7x7' in zoo.models\nassert any('broken' in str(each) for each in diagnose())",
    ),
}


def listed(title):
    """Return the files that the page lists for a journey, in order."""
    section = (ROOT / "docs" / "house.md").read_text("utf-8").split(f"### {title}\n")[1].split("\n#")[0]
    return re.findall(r"^ *(zoo/\S+\.py)", section, re.MULTILINE)


@pytest.fixture
def environment(tmp_path):
    """Return environment variables of a Python that also finds an installed plugin that raises at its import."""
    site = tmp_path / "site"
    info = site / "zoo_broken-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "zoo_broken.py").write_text("raise RuntimeError('it is broken')\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[zoo]\nzoo_broken = zoo_broken\n")
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), str(site)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("title", JOURNEYS)
def test_the_files_of_a_journey_are_entered_in_the_order_listed(title, environment, tmp_path):
    before, journey = JOURNEYS[title]
    script = TRACE.format(root=str(ROOT), before=before, journey=journey)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    entered = json.loads(done.stdout.splitlines()[-1])
    assert len(listed(title)) >= 6
    assert [path for path in entered if path in listed(title)] == listed(title)
