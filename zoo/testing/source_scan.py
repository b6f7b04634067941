"""Every model of a source, made once at the smallest cost: which can be made, and what the others say."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from zoo.errors import ConfigError, PluginError, ZooError
from zoo.factory.build import bind_config, instantiate
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import ModelSpec
from zoo.seeding import use_seed

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class BuildAttempt:
    """What came of making one model.

    Args:
        name: The model, such as `timm:resnet18`.
        status: `made`, at the size it is listed with; `larger`, only at the size that its published weights are for;
            `refused`, with an error of zoo's that says what to do; `failed`, with any other error.
        message: What the error says, if there is one.
        seconds: How long it took.
    """

    name: str
    status: str
    message: str = ""
    seconds: float = 0.0


STATUSES = ("made", "larger", "refused", "failed")


def sample_names(source: str, shard: tuple[int, int] = (1, 1)) -> list[str]:
    """Return the names of a share of a source's models, mixed, so that the first of them are a sample.

    Args:
        source: A name on `zoo.sources`.
        shard: (k, n): every n-th of the mixed names, from the k-th; the n shares hold each name once.

    Raises:
        UnknownNameError: There is no such source.
        ConfigError: There is no such share.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise ConfigError(f"a share is k/n with k from 1 to n, such as 1/8, not {number}/{count}")
    names = list(CATALOG.registry("sources")[source].list_names())
    random.Random(0).shuffle(names)
    return [f"{source}:{name}" for name in names[number - 1 :: count]]


def try_models(names: list[str], *, seconds: float = float("inf")) -> Iterator[BuildAttempt]:
    """Make models one after the other, none after so many seconds, and yield what came of each."""
    end = time.monotonic() + seconds
    for name in names:
        if time.monotonic() > end:
            return
        start = time.monotonic()
        status, message = _try_model(name)
        yield BuildAttempt(name=name, status=status, message=message, seconds=time.monotonic() - start)


def _try_model(name: str) -> tuple[str, str]:
    """Return an `Attempt`'s status and message."""
    try:
        with torch.no_grad(), use_seed(0), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _classify_attempt(CATALOG.registry("models")[name])
    except Exception as error:  # a stranger's code; what it raises is what is asked for
        return "failed", f"{type(error).__name__}: {error}"


def _classify_attempt(spec: ModelSpec) -> tuple[str, str]:
    problem = _try_build(spec, spec.size)
    if problem is None:
        return "made", ""
    if _is_clear(problem):
        first, problem = problem, _try_build(spec, _get_published_size(spec))
        if problem is None:
            return "larger", str(first)
    return ("refused" if _is_clear(problem) else "failed"), f"{type(problem).__name__}: {problem}"


def _is_clear(problem: Exception) -> bool:
    """Return whether an error is one of zoo's that says what to do."""
    return isinstance(problem, ZooError) and "; " in str(problem)


def _get_published_size(spec: ModelSpec) -> Size:
    """Return the size of images that a model's published weights are for, or else the size it is listed with."""
    if not spec.pretrained_config:
        return spec.size
    size: Size = import_object(spec.pretrained_config, spec.name)(spec.name.partition(":")[2], None, {}).size
    return size


def _try_build(spec: ModelSpec, size: Size) -> Exception | None:
    """Return what making a model for images of a size raises, or None.

    It is made on the device `meta`, where tensors have a shape and no numbers; a net that needs some while it is made
    is made on the CPU, with weights of any numbers.
    """
    try:
        with torch.device("meta"):
            _check_output_shape(spec, size)
    except Exception as error:
        if "meta" not in str(error):
            return error
    else:
        return None
    try:
        with _SkipRandomInit():
            _check_output_shape(spec, size)
    except Exception as error:
        return error
    return None


RANDOM_FILLS = ("normal_", "uniform_", "erfinv_")
"""What fills a tensor with random numbers, or makes such of them."""


class _SkipRandomInit(TorchFunctionMode):
    """Meanwhile nothing is drawn into tensors: what is in them counts for nothing, and drawing takes long."""

    def __torch_function__(self, call: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(call, "__name__", "") in RANDOM_FILLS:
            return args[0] if args else named["tensor"]
        return call(*args, **named)


def _check_output_shape(spec: ModelSpec, size: Size) -> None:
    config = bind_config(spec, {"size": size})
    net = instantiate(spec.build, spec.name, config).eval()
    found = net(torch.zeros(2, config.get("channels", spec.channels), *size))
    expected = (2, config.get("classes", 10))
    if not isinstance(found, Tensor) or tuple(found.shape) != expected:
        told = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise PluginError(f"{spec.name} answers 2 images with {told}, not {expected}; it is no classifier")
