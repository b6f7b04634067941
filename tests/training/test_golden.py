"""The losses of five seeded steps stay the same, so that a change of numbers is noticed.

`ZOO_UPDATE_GOLDEN=1 pytest tests/training/test_golden.py` writes them again; the commit then says why they changed.
"""

import json
import os
from itertools import accumulate
from pathlib import Path

import pytest
import torch

import zoo
from tests.support.small_models import OPTIONS
from zoo.plugins.catalog import CATALOG
from zoo.signature import Classes

FOLDER = Path(__file__).parents[1] / "golden"
FIRST_PARTY = [
    spec.name for plugin in CATALOG.plugins() if plugin.is_first_party for spec in plugin.offers_of("models")
]


def make_images(model):
    """Return 64 images computed by arithmetic, so that they do not depend on a random generator's version."""
    preprocessing = model.preprocessing
    count = torch.arange(64 * preprocessing.channels * preprocessing.size[0] * preprocessing.size[1])
    pixels = (count * 37 + count // 7 * 11 + count // 49 * 101) % 256
    images = pixels.to(torch.uint8).reshape(64, preprocessing.channels, *preprocessing.size)
    return zoo.Images(images, torch.arange(64) % 10, Classes.numbered(10))


def five_losses(name, noise=0.0):
    """Return the losses of five seeded steps; each weight is first changed at random by a fraction of about `noise`."""
    model = zoo.create(name, seed=0, **OPTIONS.get(name, {}))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.net.parameters():
            parameter.mul_(1 + noise * torch.randn(parameter.shape, generator=generator))
    recipe = model.spec.recipe.replace(epochs=5, batch_size=64, validation=0.0, keep="last", seed=0)
    history = model.fit(make_images(model), recipe=recipe, device="cpu", progress=False).history
    return history["generator_loss" if model.spec.task_info.is_generative else "loss"]


def sensitivity(losses, name):
    """Return the relative change of each loss when every weight changes in its last digits.

    Processors round differently, and nets with batch normalization or nearest neighbors amplify that within a few
    steps. The effect of a rounding error in the weights is the effect that another processor may have.
    """
    return [abs(a - b) / abs(b) for a, b in zip(five_losses(name, noise=2**-18), losses, strict=True)]


@pytest.mark.parametrize("name", FIRST_PARTY)
def test_five_seeded_steps_have_the_losses_they_had(name):
    path = FOLDER / f"{name}.json"
    losses = five_losses(name)
    if os.environ.get("ZOO_UPDATE_GOLDEN"):
        path.write_text(json.dumps({"losses": losses, "torch": torch.__version__}, indent=2) + "\n")
    golden = json.loads(path.read_text())["losses"]
    assert losses[0] == pytest.approx(golden[0], rel=1e-6)
    difference = [abs(a - b) / abs(b) for a, b in zip(losses, golden, strict=True)]
    if max(difference) > 1e-4:
        allowed = [1e-4 + 10 * each for each in accumulate(sensitivity(losses, name), max)]
        assert all(a <= b for a, b in zip(difference, allowed, strict=True)), (difference, allowed)
    assert len(set(losses)) == 5


def test_every_golden_file_belongs_to_a_model():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(FIRST_PARTY)
