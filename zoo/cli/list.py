"""`zoo list`: the models, encoders, data sets, experiments and trained weights there are. No torch, no numpy."""

from __future__ import annotations

from typing import Any

import click

from zoo.cli.options import json_option
from zoo.cli.output import Column, format_count, print_json, print_table, print_text
from zoo.plugins.catalog import CATALOG
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import DatasetSpec, ModelSpec
from zoo.registries import REGISTRIES
from zoo.saving.bundled import TrainedWeights

COLUMNS = (
    Column("name"),
    Column("task", drop_order=4),
    Column("accuracy", right=True),
    Column("on"),
    Column("images", drop_order=2),
    Column("weights", right=True, drop_order=1),
    Column("models", right=True),
    Column("bytes", right=True, drop_order=4),
    Column("data", drop_order=1),
    Column("rows", right=True, drop_order=2),
    Column("train", right=True, drop_order=1),
    Column("test", right=True, drop_order=2),
    Column("ships", drop_order=5),
    Column("license", drop_order=3),
    Column("plugin", drop_order=6),
    Column("summary", wrap=True),
)
EXAMPLES = """
\b
Examples:
  zoo list                   models
  zoo list 'gcn-*'           models whose name matches
  zoo list encoders          another registry
  zoo list trained digits    trained weights that have to do with a word
  zoo list 'timm:*'          the models of a source
"""


def format_image_size(value: Any) -> str:
    """Return the channels, height and width of a spec's images, such as `1 x 28 x 28`."""
    return f"{value.channels} x {value.size[0]} x {value.size[1]}"


def list_registry(registry: str, pattern: str = "*", *, as_json: bool = False) -> None:
    """Print what a registry has, or what of it matches a pattern."""
    values = REGISTRIES[registry]
    rows = [_make_row(key, values[key], values.owner(key)) for key in values.find_keys(pattern)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table([_format_row(row) for row in rows], COLUMNS, group="" if registry == "trained" else "plugin")
    else:
        print_text(f"no {registry} match {pattern!r}" + ("" if values else "; see: zoo plugins"))
    if pattern == "*" and registry == "models" and not as_json:
        _print_sources()
    _warn_about_quarantine()


def _format_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with short numbers, for people."""
    short: dict[str, Any] = {key: format_count(row[key]) for key in ("weights", "bytes") if row.get(key) is not None}
    if row.get("accuracy") is not None:
        short["accuracy"] = f"{row['accuracy']:.4f}"
    return {**row, **short}


def _make_row(key: str, value: Any, owner: str) -> dict[str, Any]:
    """Return the values of one row."""
    row: dict[str, Any] = {"name": key}
    if isinstance(value, ModelSpec):
        row |= {"task": value.task, "images": format_image_size(value), "weights": value.parameters}
    if isinstance(value, DatasetSpec):
        row |= {
            "images": format_image_size(value),
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


@click.command("list", epilog=EXAMPLES)
@click.argument("registry", required=False)
@click.argument("pattern", required=False)
@json_option
def list_(registry: str | None, pattern: str | None, as_json: bool) -> None:
    """List the models, or what another REGISTRY has.

    REGISTRY is models, encoders, datasets, experiments, sources, callbacks or trained. PATTERN is a glob such as
    'gcn-*', or a word to search for in names, summaries and tags. A PATTERN alone searches the models.
    """
    if registry is not None and registry not in REGISTRIES:
        if pattern is not None:
            raise click.UsageError(f"{registry!r} is not a registry; the registries are {', '.join(REGISTRIES)}")
        registry, pattern = None, registry
    list_registry(registry or "models", pattern or "*", as_json=as_json)


def _print_sources() -> None:
    """Print the prefixes of sources, each of which has many more models."""
    for name, source in REGISTRIES["sources"].items():
        print_text(f"{name}:*  {source.summary}; see: zoo list '{name}:*'", indent="    ")
    print_text("zoo list trained shows the trained weights, zoo info NAME all about one")


def _warn_about_quarantine() -> None:
    broken = [plugin for plugin in CATALOG.plugins() if plugin.status == "quarantined"]
    if broken:
        named = ", ".join(f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in broken)
        print_text(f"quarantined: {named}; see: zoo plugins", fg="yellow", err=True)
