"""`zoo list` and `zoo info`: what there is. No torch, no numpy."""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.cli.output import as_json, print_json, print_pairs, print_table
from zoo.errors import UnknownNameError, did_you_mean
from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import DatasetSpec, ModelSpec
from zoo.recipe import Recipe
from zoo.saving.bundled import Trained
from zoo.shelves import SHELVES


def _size(value: Any) -> str:
    return f"{value.channels} x {value.size[0]} x {value.size[1]}"


def _columns(key: str, value: Any, owner: str) -> dict[str, Any]:
    """Return what one line of a shelf says."""
    row: dict[str, Any] = {"name": key}
    if isinstance(value, ModelSpec):
        row |= {"task": value.task, "images": _size(value), "weights": value.parameters}
    if isinstance(value, DatasetSpec):
        row |= {
            "images": _size(value),
            "train": value.counts.get("train"),
            "test": value.counts.get("test"),
            "ships": value.bundled,
            "license": value.license,
        }
    if isinstance(value, Source):
        row |= {"models": len(value.all_names())}
    if isinstance(value, Experiment):
        row |= {"data": value.dataset, "rows": len(value.rows)}
    if isinstance(value, Trained):
        facts = {"accuracy": value.accuracy, "on": value.scored_on, "weights": value.parameters, "bytes": value.bytes}
        return {**row, **facts, "license": value.license}
    return {**row, "plugin": owner, "summary": value.summary}


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--shelf", type=click.Choice(list(SHELVES)), default="models", help="Which shelf.", show_default=True)
@as_json
def list_(pattern: str, shelf: str, is_json: bool) -> None:
    """List a shelf.

    PATTERN is a glob such as 'gcn-*', a word to look for in names, summaries and tags, or, for what a source has, its
    prefix and one of them: 'timm:*'.
    """
    values = SHELVES[shelf]
    rows = [_columns(key, values[key], values.owner(key)) for key in values.keys_like(pattern)]
    if is_json:
        print_json(rows)
    elif rows:
        print_table(rows, right=("weights", "train", "test", "rows", "bytes", "accuracy"))
    else:
        click.echo(f"no {shelf} match {pattern!r}" + ("; see: zoo plugins" if not values else ""))
    if pattern == "*" and shelf == "models" and not is_json:
        _tell_of_sources()
    _warn_of_quarantine()


def _tell_of_sources() -> None:
    """Say which prefixes stand for many more models."""
    for name, source in SHELVES["sources"].items():
        click.echo(f"{name}:*  {source.summary}; see: zoo list '{name}:*'")


def _warn_of_quarantine() -> None:
    broken = [plugin for plugin in CATALOGUE.plugins() if plugin.status == "quarantined"]
    if broken:
        named = ", ".join(f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in broken)
        click.secho(f"quarantined: {named}; see: zoo plugins", fg="yellow", err=True)


@click.command()
@click.argument("name")
@as_json
def info(name: str, is_json: bool) -> None:
    """Show all about a model, encoder, data set or experiment."""
    kind = _kind_of(name)
    shelf = SHELVES[kind]
    record = {"name": name, "kind": kind.removesuffix("s"), "plugin": shelf.owner(name), **_record(shelf[name])}
    print_json(record) if is_json else print_pairs(_readable(record))


def _kind_of(name: str) -> str:
    """Return the first shelf on which somebody offers `name`, be it clear or ambiguous there."""
    for kind in SHELVES:
        shelf = SHELVES[kind]
        if name in shelf or shelf.owners(name):
            return kind
    every = [key for kind in SHELVES for key in SHELVES[kind]]
    near = did_you_mean(name, every) or "; zoo list shows what there is"
    raise UnknownNameError(f"nothing is named {name!r}{near}{CATALOGUE.quarantined()}")


def _record(value: Any) -> dict[str, Any]:
    """Return a spec's fields as plain values; of trained weights, what is stored with them."""
    if isinstance(value, Trained):
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


def _readable(record: dict[str, Any]) -> dict[str, Any]:
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
