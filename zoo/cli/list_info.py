"""`zoo list` and `zoo info`: what there is. No torch, no numpy."""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.cli.output import json_option, print_json, print_record, print_table
from zoo.errors import UnknownNameError, did_you_mean
from zoo.plugins.catalog import CATALOG
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import DatasetSpec, ModelSpec
from zoo.recipe import Recipe
from zoo.registries import REGISTRIES
from zoo.saving.bundled import TrainedWeights


def _format_size(value: Any) -> str:
    return f"{value.channels} x {value.size[0]} x {value.size[1]}"


def _make_row(key: str, value: Any, owner: str) -> dict[str, Any]:
    """Return what one line of a shelf says."""
    row: dict[str, Any] = {"name": key}
    if isinstance(value, ModelSpec):
        row |= {"task": value.task, "images": _format_size(value), "weights": value.parameters}
    if isinstance(value, DatasetSpec):
        row |= {
            "images": _format_size(value),
            "train": value.counts.get("train"),
            "test": value.counts.get("test"),
            "ships": value.bundled,
            "license": value.license,
        }
    if isinstance(value, Source):
        row |= {"models": len(value.list_names())}
    if isinstance(value, Experiment):
        row |= {"data": value.dataset, "rows": len(value.rows)}
    if isinstance(value, TrainedWeights):
        facts = {
            "accuracy": value.accuracy,
            "on": value.scored_on,
            "weights": value.parameters,
            "bytes": value.num_bytes,
        }
        return {**row, **facts, "license": value.license}
    return {**row, "plugin": owner, "summary": value.summary}


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--shelf", type=click.Choice(list(REGISTRIES)), default="models", help="Which shelf.", show_default=True)
@json_option
def list_(pattern: str, registry: str, as_json: bool) -> None:
    """List a shelf.

    PATTERN is a glob such as 'gcn-*', a word to look for in names, summaries and tags, or, for what a source has, its
    prefix and one of them: 'timm:*'.
    """
    values = REGISTRIES[registry]
    rows = [_make_row(key, values[key], values.owner(key)) for key in values.find_keys(pattern)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, right_aligned=("weights", "train", "test", "rows", "bytes", "accuracy"))
    else:
        click.echo(f"no {registry} match {pattern!r}" + ("; see: zoo plugins" if not values else ""))
    if pattern == "*" and registry == "models" and not as_json:
        _print_sources()
    _warn_about_quarantine()


def _print_sources() -> None:
    """Say which prefixes stand for many more models."""
    for name, source in REGISTRIES["sources"].items():
        click.echo(f"{name}:*  {source.summary}; see: zoo list '{name}:*'")


def _warn_about_quarantine() -> None:
    broken = [plugin for plugin in CATALOG.plugins() if plugin.status == "quarantined"]
    if broken:
        named = ", ".join(f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in broken)
        click.secho(f"quarantined: {named}; see: zoo plugins", fg="yellow", err=True)


@click.command()
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show all about a model, encoder, data set or experiment."""
    kind = _find_kind(name)
    shelf = REGISTRIES[kind]
    record = {"name": name, "kind": kind.removesuffix("s"), "plugin": shelf.owner(name), **_make_record(shelf[name])}
    print_json(record) if as_json else print_record(_format_record(record))


def _find_kind(name: str) -> str:
    """Return the first shelf on which somebody offers `name`, be it clear or ambiguous there."""
    for kind in REGISTRIES:
        shelf = REGISTRIES[kind]
        if name in shelf or shelf.owners(name):
            return kind
    every = [key for kind in REGISTRIES for key in REGISTRIES[kind]]
    near = did_you_mean(name, every) or "; zoo list shows what there is"
    raise UnknownNameError(f"nothing is named {name!r}{near}{CATALOG.quarantine_hint()}")


def _make_record(value: Any) -> dict[str, Any]:
    """Return a spec's fields as plain values; of trained weights, what is stored with them."""
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


def _format_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record for people: recipes as what differs from the default, rows by label."""
    default = Recipe().to_json()
    shown = dict(record)
    if "recipe" in shown:
        shown["recipe"] = {
            key: value for key, value in shown["recipe"].items() if value != default[key] or key in ("epochs", "lr")
        }
    for name, recipe in shown.pop("recipes", {}).items():
        shown[f"recipe {name}"] = {
            key: value for key, value in recipe.items() if value != record["recipe"][key]
        } or "the default"
    for score in shown.pop("scores", ()):
        shown[f"on {score['data']}"] = {"count": score["count"], **score["metrics"], **score["protocol"]}
    for row in shown.pop("rows", ()):
        paper = row["paper"].get("accuracy")
        shown[row["label"]] = row["model"] + (f", the paper has {paper}" if paper is not None else "")
    return shown
