"""What a run depends on, as plain values; and how two differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from importlib.metadata import version
from typing import Any, Protocol

from torch.nn import Module

from zoo.data import ExternalLoader, Loader
from zoo.errors import ConfigError, join_names
from zoo.history import History
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing

MAY_DIFFER = ("processes", "device", "threads", "versions")
"""What may differ on resume, with a warning: the numbers are then no longer the same to the last bit."""
MISSING = "nothing"


class TrainableModel(Protocol):
    """A model, as far as its training depends on it."""

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
    """Return what the end of a training depends on; equal ones end in equal weights.

    Args:
        model: What is trained, with the classes and preprocessing it is trained with.
        recipe: How.
        train: On what.
        validation: What is scored after each epoch, or None.
        environment: Where; the numbers depend on it in their last bits.
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
    """Return what can be told of somebody else's loader without reading it."""
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
    """Return what differs and may, in words.

    Raises:
        ConfigError: Something differs that decides what is trained; it is named.
    """
    if _global_batch_size(before) == _global_batch_size(now) and before.get("processes") != now["processes"]:
        before, now = _without_batch_size(before), _without_batch_size(now)
    strict = [
        *_iter_differences(
            {k: v for k, v in before.items() if k not in MAY_DIFFER}, {k: now[k] for k in now if k not in MAY_DIFFER}
        ),
        *_iter_major_changes(before.get("versions", {}), now["versions"]),
    ]
    if strict:
        raise ConfigError(
            f"this is another training than the one in the checkpoint: {join_names(strict, 6)}. Give what it was begun "
            "with, or begin a new run in another folder"
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
    """Return all of a model that a training may change but for its weights."""
    return {
        "classes": {"values": list(model.classes.values), "names": list(model.classes.names)},
        "preprocessing": vars(model.preprocessing),
        "base": model.base,
        "history": list(model.history),
        "stopped": model.history.stopped,
    }


def restore_start(model: TrainableModel, start: Mapping[str, Any]) -> None:
    """Bring a model to what `start_of` returned."""
    model.classes = Classes.of(start["classes"]["values"], start["classes"]["names"])
    model.preprocessing = Preprocessing(**start["preprocessing"])
    model.base, model.history = start["base"], History(start["history"], stopped=start["stopped"])
