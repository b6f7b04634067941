"""Every model that the sources offer is made once, or refused with what to do: a sample, or all with ZOO_LONG=1."""

import json
import os
from collections import Counter
from itertools import chain

import pytest

import zoo
from tests.support.fake_plugin import offer
from tests.support.forked_cli import zoo as command
from zoo.errors import ConfigError, UnknownNameError
from zoo.testing.source_scan import STATUSES, sample_names, try_models

LONG = os.environ.get("ZOO_LONG") == "1"
SHARES = {"timm": (1, 200), "torchvision": (1, 10)}
"""The sample of each source: 7 and 8 models."""


@pytest.mark.reliability
@pytest.mark.parametrize("source", SHARES)
def test_every_architecture_is_made_or_refused_with_what_to_do(source, figure):
    names = sample_names(source, (1, 1) if LONG else SHARES[source])
    found = list(try_models(names, seconds=900))
    counts = Counter(each.status for each in found)
    told = ", ".join(f"{counts[state]} {state}" for state in STATUSES)
    figure(f"{source}: {len(found)} of {len(zoo.sources[source].list_names())} architectures tried: {told}")
    assert found
    assert not [each for each in found if each.status == "failed"]


def test_the_shares_hold_each_name_once():
    shares = [sample_names("torchvision", (k, 3)) for k in (1, 2, 3)]
    every = [f"torchvision:{name}" for name in zoo.sources["torchvision"].list_names()]
    assert sorted(chain(*shares)) == every
    assert shares[0] != every[: len(shares[0])]


def test_no_model_is_begun_after_the_time_is_over():
    assert list(try_models(sample_names("torchvision"), seconds=-1)) == []


def test_a_share_or_source_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="from 1 to n, such as 1/8, not 4/3"):
        sample_names("timm", (4, 3))
    with pytest.raises(UnknownNameError, match="no source named 'tim'; did you mean timm"):
        sample_names("tim")


def test_the_command_tells_the_counts_and_fails_where_nothing_is_tried():
    done = command("plugins", "try", "torchvision", "--share", "1/80", "--json")
    record = json.loads(done.stdout)
    assert (done.returncode, record["models"], record["made"] + record["larger"]) == (0, 1, 1)
    assert command("plugins", "try", "torchvision", "--share", "81/100").returncode == 1
    assert "'1:8' is no share such as 1/8" in command("plugins", "try", "torchvision", "--share", "1:8").stderr


# A stranger's source

NAMES = ("sound", "picky", "stubborn", "gruff", "mute", "lost", "drawing")


def names():
    return NAMES


def model(name):
    size = {"foreign": "test_every_architecture:published"} if name == "picky" else {}
    target = {"lost": "test_every_architecture:Nobody"}.get(name, f"test_every_architecture:{name}")
    return zoo.ModelSpec(name=f"odd:{name}", summary="a net", build=target, size=(7, 7), **size)


def published(name, tag, config):
    from zoo.plugins.source import PretrainedConfig

    return PretrainedConfig(size=(9, 9))


def sound(size: tuple[int, int], channels: int = 1, classes: int = 10):
    from tests.support.faulty_nets import Sound

    return Sound(size, channels, classes)


def picky(size: tuple[int, int], channels: int = 1, classes: int = 10):
    if size != (9, 9):
        raise ConfigError("it takes 9 x 9; give it size=9")
    return sound(size, channels, classes)


def stubborn(size: tuple[int, int], channels: int = 1, classes: int = 10):
    raise ConfigError("it is out of order; choose another")


def gruff(size: tuple[int, int], channels: int = 1, classes: int = 10):
    raise ConfigError("no")


def mute(size: tuple[int, int], channels: int = 1, classes: int = 10):
    net = sound(size, channels, classes)
    net.forward = lambda images: images.flatten(1)
    return net


def drawing(size: tuple[int, int], channels: int = 1, classes: int = 10):
    import torch

    return sound(size, channels, classes + int(torch.linspace(0, 1, 3).sum().item() > 9))  # it needs numbers


def test_what_comes_of_each_model_of_a_strangers_source_is_told(monkeypatch):
    told = "test_every_architecture"
    offer(monkeypatch, zoo.Source(name="odd", summary="odd nets", names=f"{told}:names", model=f"{told}:model"))
    found = {each.name.partition(":")[2]: each for each in try_models(sample_names("odd"))}
    assert {name: each.status for name, each in found.items()} == {
        "sound": "made",
        "drawing": "made",
        "picky": "larger",
        "stubborn": "refused",
        "gruff": "failed",
        "mute": "refused",
        "lost": "failed",
    }
    assert found["picky"].message == "it takes 9 x 9; give it size=9"
    assert "answers 2 images with (2, 49), not (2, 10); it is no classifier" in found["mute"].message
    assert found["lost"].message.startswith("PluginError: odd:lost cannot be imported")
