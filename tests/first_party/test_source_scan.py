"""Every model that the sources offer is built once, or refused with what to do: a sample, or all with ZOO_LONG=1."""

import json
import os
from collections import Counter
from itertools import chain

import pytest
from click.testing import CliRunner

import zoo
from benchmarks.source_scan import STATUSES, main, sample_names, try_models
from tests.support.fake_plugin import offer
from zoo.errors import ConfigError, UnknownNameError

LONG = os.environ.get("ZOO_LONG") == "1"
SHARDS = {"timm": (1, 200), "torchvision": (1, 10)}
"""The sample of each source: 7 and 8 models."""


@pytest.mark.reliability
@pytest.mark.parametrize("source", SHARDS)
def test_every_architecture_is_built_or_refused_with_what_to_do(source, figure):
    names = sample_names(source, (1, 1) if LONG else SHARDS[source])
    attempts = list(try_models(names, seconds=900))
    counts = Counter(each.status for each in attempts)
    summary = ", ".join(f"{counts[state]} {state}" for state in STATUSES)
    figure(f"{source}: {len(attempts)} of {len(zoo.sources[source].list_names())} architectures tried: {summary}")
    assert attempts
    assert not [each for each in attempts if each.status == "failed"]


def test_the_shards_contain_each_name_once():
    shards = [sample_names("torchvision", (k, 3)) for k in (1, 2, 3)]
    names = [f"torchvision:{name}" for name in zoo.sources["torchvision"].list_names()]
    assert sorted(chain(*shards)) == names
    assert shards[0] != names[: len(shards[0])]


def test_no_build_starts_after_the_time_is_over():
    assert list(try_models(sample_names("torchvision"), seconds=-1)) == []


def test_a_shard_or_source_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="from 1 to n, such as 1/8, not 4/3"):
        sample_names("timm", (4, 3))
    with pytest.raises(UnknownNameError, match="no source named 'tim'; did you mean timm"):
        sample_names("tim")


def run_scan(*words):
    return CliRunner().invoke(main, words)


def test_the_command_prints_the_counts_and_fails_where_nothing_is_tried():
    result = run_scan("torchvision", "--shard", "1/80", "--json")
    record = json.loads(result.stdout)
    assert (result.exit_code, record["models"], record["built"] + record["larger"]) == (0, 1, 1)
    assert run_scan("torchvision", "--shard", "81/100").exit_code == 1
    assert "'1:8' is not a shard such as 1/8" in run_scan("torchvision", "--shard", "1:8").stderr


# A third-party source

NAMES = ("sound", "picky", "stubborn", "gruff", "mute", "lost", "number_hungry")


def names():
    return NAMES


def model(name):
    size = {"pretrained_config": "test_source_scan:get_pretrained_config"} if name == "picky" else {}
    target = {"lost": "test_source_scan:Nobody"}.get(name, f"test_source_scan:{name}")
    return zoo.ModelSpec(name=f"odd:{name}", summary="a net", build=target, size=(7, 7), **size)


def get_pretrained_config(name, tag, config):
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


def number_hungry(size: tuple[int, int], channels: int = 1, classes: int = 10):
    import torch

    return sound(size, channels, classes + int(torch.linspace(0, 1, 3).sum().item() > 9))  # it needs values


def test_the_result_of_each_model_of_a_third_party_source(monkeypatch):
    module = "test_source_scan"
    offer(monkeypatch, zoo.Source(name="odd", summary="odd nets", names=f"{module}:names", model=f"{module}:model"))
    attempts = {each.name.partition(":")[2]: each for each in try_models(sample_names("odd"))}
    assert {name: each.status for name, each in attempts.items()} == {
        "sound": "built",
        "number_hungry": "built",
        "picky": "larger",
        "stubborn": "refused",
        "gruff": "failed",
        "mute": "refused",
        "lost": "failed",
    }
    assert attempts["picky"].message == "it takes 9 x 9; give it size=9"
    assert "returns (2, 49) for 2 images, not (2, 10); it is not a classifier" in attempts["mute"].message
    assert attempts["lost"].message.startswith("PluginError: odd:lost cannot be imported")
