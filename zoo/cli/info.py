"""`zoo info`: describe one model, encoder, data set, experiment, source, callback or trained weights. No torch."""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.cli.options import json_option
from zoo.cli.output import print_json
from zoo.cli.pages import print_page
from zoo.errors import UnknownNameError, did_you_mean
from zoo.plugins.catalog import CATALOG
from zoo.recipe import Recipe
from zoo.registries import REGISTRIES
from zoo.saving.bundled import TrainedWeights


@click.command()
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Describe NAME: a model, encoder, data set, experiment, source, callback or trained weights."""
    kind = _find_kind(name)
    registry = REGISTRIES[kind]
    value, owner = registry[name], registry.owner(name)
    if as_json:
        print_json({"name": name, "kind": kind.removesuffix("s"), "plugin": owner, **_make_record(value)})
    else:
        print_page(name, value, owner)


def _find_kind(name: str) -> str:
    """Return the first registry in which a plugin offers `name`, even if several plugins do.

    Raises:
        UnknownNameError: No registry has it.
    """
    for kind, registry in REGISTRIES.items():
        if name in registry or registry.owners(name):
            return kind
    names = [key for registry in REGISTRIES.values() for key in registry]
    suggestion = did_you_mean(name, names) or "; zoo list shows the models"
    raise UnknownNameError(f"nothing is named {name!r}{suggestion}{CATALOG.quarantine_hint()}")


def _make_record(value: Any) -> dict[str, Any]:
    """Return the fields of a spec as plain values; for trained weights, what their manifest stores."""
    if isinstance(value, TrainedWeights):
        record = json.loads(value.manifest.to_json())
        return {"folder": str(value.folder), **record, "tensors": len(record["tensors"]), "golden": None}
    record = {}
    for name, each in vars(value).items():
        if isinstance(each, Recipe):
            each = each.to_json()
        elif name == "recipes":
            each = {key: recipe.to_json() for key, recipe in each.items()}
        elif name == "rows":
            each = [{key: dict(v) if hasattr(v, "items") else v for key, v in vars(row).items()} for row in each]
        elif hasattr(each, "items"):
            each = dict(each)
        record[name] = each
    return record
