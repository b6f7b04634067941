"""Losses of five seeded steps: a change that should not change numbers does not.

`ZOO_UPDATE_GOLDEN=1 pytest tests/test_golden.py` writes them anew; the commit then says why they moved.
"""

import json
import os
from pathlib import Path

import pytest
import torch
from cheap import OPTIONS

import zoo
from zoo.plugins import CATALOGUE
from zoo.signature import Classes

FOLDER = Path(__file__).parent / "golden"
OWN = [spec.name for plugin in CATALOGUE.plugins() if plugin.is_own for spec in plugin.offered("models")]


def pictures(model):
    """Return 64 images made by arithmetic alone, so that no random generator's version matters."""
    wants = model.preprocessing
    count = torch.arange(64 * wants.channels * wants.size[0] * wants.size[1])
    pixels = (count * 37 + count // 7 * 11 + count // 49 * 101) % 256
    images = pixels.to(torch.uint8).reshape(64, wants.channels, *wants.size)
    return zoo.Images(images, torch.arange(64) % 10, Classes.numbered(10))


def five_losses(name):
    model = zoo.create(name, seed=0, **OPTIONS.get(name, {}))
    recipe = model.spec.recipe.replace(epochs=5, batch_size=64, validation=0.0, keep="last", seed=0)
    history = model.fit(pictures(model), recipe=recipe, device="cpu", progress=False).history
    return history["generator_loss" if model.spec.task == "generation" else "loss"]


@pytest.mark.parametrize("name", OWN)
def test_five_seeded_steps_have_the_losses_they_had(name):
    path = FOLDER / f"{name}.json"
    losses = five_losses(name)
    if os.environ.get("ZOO_UPDATE_GOLDEN"):
        path.write_text(json.dumps({"losses": losses, "torch": torch.__version__}, indent=2) + "\n")
    golden = json.loads(path.read_text())["losses"]
    assert losses == pytest.approx(golden, rel=1e-4)
    assert len(set(losses)) == 5


def test_every_golden_file_belongs_to_a_model():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(OWN)
