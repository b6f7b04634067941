"""Describe what a run depends on as plain JSON, and compare two descriptions.

The fingerprint shows whether a resumed training is the same training: model, recipe, data and environment. The start
is the model before the training; a resumed training begins from it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from importlib.metadata import version
from typing import Any, Protocol

from torch.nn import Module

from zoo.data import ExternalLoader, Loader
from zoo.errors import ConfigError, join_names
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.saving.history import History
from zoo.signature import Classes, Preprocessing

MAY_DIFFER = ("processes", "device", "threads", "versions")
"""Keys of a fingerprint that may differ on resume, with a warning: the last bits of the numbers then differ."""
MISSING = "nothing"
"""Shown in messages for a key that one of two fingerprints lacks."""


class TrainableModel(Protocol):
    """What a training depends on of a model; `zoo.Model` has it."""

    spec: ModelSpec
    config: dict[str, Any]
    net: Module
    seed: int
    classes: Classes
    preprocessing: Preprocessing
    base: str
    history: History


def make_fingerprint(
    model: TrainableModel,
    recipe: Recipe,
    train: Loader | ExternalLoader,
    validation: Loader | ExternalLoader | None,
    environment: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the result of a training depends on; equal fingerprints give equal weights.

    Args:
        model: The model, with the classes and preprocessing it is trained with.
        recipe: How to train.
        train: The loader of training batches.
        validation: The loader of the images that are scored after each epoch, or None.
        environment: Processes, device and threads; the last bits of the weights depend on them.
    """
    return {
        "model": model.spec.name,
        "config": _to_json_value(dict(model.config)),
        "seed": model.seed,
        "preprocessing": _to_json_value(vars(model.preprocessing)),
        "trained weights": sum(weight.requires_grad for weight in model.net.parameters()),
        "recipe": recipe.to_json(),
        "training data": _describe_data(train),
        "validation data": _describe_data(validation),
        "versions": {name: version(name) for name in ("zoo-models", "torch", "numpy")},
        **environment,
    }


def _describe_data(loader: Loader | ExternalLoader | None) -> dict[str, Any]:
    if loader is None:
        return {}
    if isinstance(loader, ExternalLoader):
        return _describe_external_loader(loader.batches, len(loader))
    return {
        "kind": "images",
        "number": len(loader.images),
        "sha256": loader.images.source_fingerprint(),
        "batch_size": loader.batch_size,
        "shuffle": loader.shuffle,
        "seed": loader.seed,
        "drop_last": loader.drop_last,
        "augmented": loader.augment is not None,
    }


def _describe_external_loader(batches: Any, num_batches: int) -> dict[str, Any]:
    """Describe another library's loader by what is known without reading its batches."""
    sampler = getattr(batches, "sampler", None)
    return {
        "kind": "a loader of its own",
        "type": type(batches).__name__,
        "batches": num_batches,
        "number": len(sampler) if isinstance(sampler, Sized) else None,
        "order": type(sampler).__name__,
    }


def _to_json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_json_value(each) for key, each in value.items()}
    return [_to_json_value(each) for each in value] if isinstance(value, list | tuple) else value


def check_fingerprint(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences that are allowed, as text.

    Raises:
        ConfigError: There are other differences; the message lists them.
    """
    if _global_batch_size(before) == _global_batch_size(now) and before.get("processes") != now["processes"]:
        before, now = _without_batch_size(before), _without_batch_size(now)
    refused = [
        *_iter_differences(
            {k: v for k, v in before.items() if k not in MAY_DIFFER}, {k: now[k] for k in now if k not in MAY_DIFFER}
        ),
        *_iter_major_changes(before.get("versions", {}), now["versions"]),
    ]
    if refused:
        raise ConfigError(
            f"this is another training than the one in the checkpoint: {join_names(refused, 6)}. Give the "
            "arguments that the run was begun with, or begin a new run in another folder"
        )
    return list(_iter_differences({k: before.get(k) for k in MAY_DIFFER}, {k: now[k] for k in MAY_DIFFER}))


def _iter_differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*before, *now]):
            yield from _iter_differences(before.get(key, MISSING), now.get(key, MISSING), f"{path} {key}".strip())
    elif before != now:
        yield f"{path} was {_shorten_repr(before)} and is {_shorten_repr(now)}"


def _iter_major_changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in before.keys() & now.keys():
        if before[name].split(".")[0] != now[name].split(".")[0]:
            yield f"{name} was {before[name]} and is {now[name]}"


def _shorten_repr(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _global_batch_size(record: Mapping[str, Any]) -> int:
    return int(record.get("recipe", {}).get("batch_size", 0) * record.get("processes", 1))


def _without_batch_size(record: Mapping[str, Any]) -> dict[str, Any]:
    data = {key: value for key, value in record["training data"].items() if key != "batch_size"}
    recipe = {key: value for key, value in record["recipe"].items() if key != "batch_size"}
    return {**record, "training data": data, "recipe": recipe}


def capture_start(model: TrainableModel) -> dict[str, Any]:
    """Return what a training may change in a model, except its weights, as plain JSON."""
    return {
        "classes": {"values": list(model.classes.values), "names": list(model.classes.names)},
        "preprocessing": vars(model.preprocessing),
        "base": model.base,
        "history": list(model.history),
        "stopped": model.history.stopped,
    }


def restore_start(model: TrainableModel, start: Mapping[str, Any]) -> None:
    """Restore what `capture_start` returned."""
    model.classes = Classes.of(start["classes"]["values"], start["classes"]["names"])
    model.preprocessing = Preprocessing(**start["preprocessing"])
    model.base, model.history = start["base"], History(start["history"], stopped=start["stopped"])
