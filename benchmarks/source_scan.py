"""Build every model of a source once, such as timm's, and list those that cannot be built.

    python -m benchmarks.source_scan timm --shard 1/8

Models are built on the meta device where that is possible, so that a source of a thousand models takes minutes.
"""

from __future__ import annotations

import json
import random
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
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
STATUSES = ("built", "larger", "refused", "failed")


@dataclass(frozen=True, kw_only=True)
class BuildAttempt:
    """The result of building one model.

    Args:
        name: The model, such as `timm:resnet18`.
        status: `built` at the size in its spec; `larger`, built only at the size of its published weights; `refused`
            with a `ZooError` that says what to do; `failed` with any other error.
        message: The error's text, if there is one.
        seconds: Duration in seconds.
    """

    name: str
    status: str
    message: str = ""
    seconds: float = 0.0


def sample_names(source: str, shard: tuple[int, int] = (1, 1)) -> list[str]:
    """Return the names in one shard of a source's models, shuffled, so that the first of them are a sample.

    Args:
        source: A name in `zoo.sources`.
        shard: (k, n): every n-th of the shuffled names, from the k-th. The n shards contain each name once.

    Raises:
        UnknownNameError: There is no such source.
        ConfigError: There is no such shard.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise ConfigError(f"a shard is k/n with k from 1 to n, such as 1/8, not {number}/{count}")
    names = list(CATALOG.registry("sources")[source].list_names())
    random.Random(0).shuffle(names)
    return [f"{source}:{name}" for name in names[number - 1 :: count]]


def try_models(names: list[str], *, seconds: float = float("inf")) -> Iterator[BuildAttempt]:
    """Build models one after the other and yield each result. No build starts after `seconds` have passed."""
    end = time.monotonic() + seconds
    for name in names:
        if time.monotonic() > end:
            return
        start = time.monotonic()
        status, message = _try_model(name)
        yield BuildAttempt(name=name, status=status, message=message, seconds=time.monotonic() - start)


def _try_model(name: str) -> tuple[str, str]:
    """Return the status and message of a `BuildAttempt`."""
    try:
        with torch.no_grad(), use_seed(0), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _classify_attempt(CATALOG.registry("models")[name])
    except Exception as error:  # third-party code may raise anything, and what it raises is the result
        return "failed", f"{type(error).__name__}: {error}"


def _classify_attempt(spec: ModelSpec) -> tuple[str, str]:
    problem = _try_build(spec, spec.size)
    if problem is None:
        return "built", ""
    if _is_clear(problem):
        first, problem = problem, _try_build(spec, _get_published_size(spec))
        if problem is None:
            return "larger", str(first)
    return ("refused" if _is_clear(problem) else "failed"), f"{type(problem).__name__}: {problem}"


def _is_clear(problem: Exception) -> bool:
    """Return whether an error is a `ZooError` that says what to do."""
    return isinstance(problem, ZooError) and "; " in str(problem)


def _get_published_size(spec: ModelSpec) -> Size:
    """Return the image size of a model's published weights, or else the size in its spec."""
    if not spec.pretrained_config:
        return spec.size
    size: Size = import_object(spec.pretrained_config, spec.name)(spec.name.partition(":")[2], None, {}).size
    return size


def _try_build(spec: ModelSpec, size: Size) -> Exception | None:
    """Return the exception of building a model for images of a size, or None.

    It is built on the device `meta`, where tensors have a shape and no values. A net whose constructor needs values is
    built on the CPU, with uninitialised weights.
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
"""Tensor methods that weight initialisers call; random numbers are slow, and the values do not matter here."""


class _SkipRandomInit(TorchFunctionMode):
    """Skip random initialisation of tensors while active."""

    def __torch_function__(self, call: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(call, "__name__", "") in RANDOM_FILLS:
            return args[0] if args else named["tensor"]
        return call(*args, **named)


def _check_output_shape(spec: ModelSpec, size: Size) -> None:
    config = bind_config(spec, {"size": size})
    net = instantiate(spec.build, spec.name, config).eval()
    output = net(torch.zeros(2, config.get("channels", spec.channels), *size))
    expected = (2, config.get("classes", 10))
    if not isinstance(output, Tensor) or tuple(output.shape) != expected:
        description = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise PluginError(f"{spec.name} returns {description} for 2 images, not {expected}; it is not a classifier")


def _parse_shard(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, int]:
    """Parse a shard such as 1/8."""
    number, slash, count = text.partition("/")
    if not slash or not number.isdigit() or not count.isdigit():
        raise click.BadParameter(f"{text!r} is not a shard such as 1/8", ctx=context, param=parameter)
    return int(number), int(count)


@click.command()
@click.argument("source")
@click.option("--shard", callback=_parse_shard, default="1/1", show_default=True, help="The part to build, as k/n.")
@click.option("--seconds", type=float, default=900.0, show_default=True, help="Start no build after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(source: str, shard: tuple[int, int], seconds: float, as_json: bool) -> None:
    """Build every model of SOURCE, print those that fail, and exit with 1 if one fails or none was tried."""
    names = sample_names(source, shard)
    attempts = []
    for attempt in try_models(names, seconds=seconds):
        attempts.append(attempt)
        if attempt.status != "built" and not as_json:
            click.echo(f"  {attempt.status}: {attempt.name}: {attempt.message}")
    counts = Counter(each.status for each in attempts)
    if as_json:
        record = {"source": source, "models": len(names), **{state: counts[state] for state in STATUSES}}
        click.echo(json.dumps({**record, "attempts": [vars(each) for each in attempts]}, indent=2))
    else:
        summary = ", ".join(f"{counts[state]} {state}" for state in STATUSES)
        click.echo(f"{source}: {len(attempts)} of {len(names)} models tried: {summary}")
    if counts["failed"] or not attempts:
        click.get_current_context().exit(1)


if __name__ == "__main__":
    main()
