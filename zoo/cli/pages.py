"""Pages of `zoo info` for people: one function for each kind of value. No torch, no numpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from zoo.cli.list import format_image_size
from zoo.cli.markdown import print_markdown
from zoo.cli.output import Column, print_record, print_table, print_text
from zoo.cli.signatures import read_options
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, DatasetSpec, EncoderSpec, ModelSpec
from zoo.recipe import Recipe
from zoo.registries import REGISTRIES
from zoo.saving.bundled import TrainedWeights
from zoo.task_info import TASK_INFO

INDENT = "  "
OPTION_COLUMNS = (
    Column("option"),
    Column("type", drop_order=1),
    Column("default", wrap=True),
    Column("meaning", wrap=True),
)
SYMMETRY_TEXTS = {"D4": "D4: a square image that is rotated by 90 degrees or mirrored gets the same result"}
STANDARDIZE_TEXTS = {True: "standardised with mean and std of the training images", False: "scaled to [0, 1]"}


def print_page(name: str, value: Any, owner: str) -> None:
    """Print all that a user of a model, encoder, data set, experiment, source, callback or trained weights needs."""
    print_text(f"{name}: {value.summary}", indent=INDENT, bold=True)
    click.echo()
    if isinstance(value, ModelSpec):
        _print_model(name, value, owner)
    elif isinstance(value, EncoderSpec):
        _print_encoder(name, value, owner)
    elif isinstance(value, DatasetSpec):
        _print_dataset(name, value, owner)
    elif isinstance(value, Experiment):
        _print_experiment(name, value, owner)
    elif isinstance(value, TrainedWeights):
        _print_trained(name, value)
    elif isinstance(value, Source):
        _print_source(name, value, owner)
    elif isinstance(value, CallbackSpec):
        print_record({"plugin": owner}, indent=INDENT)
        _print_examples([f"zoo fit MODEL DATA --callback {name}"])


def _print_model(name: str, spec: ModelSpec, owner: str) -> None:
    pixels = STANDARDIZE_TEXTS[spec.standardize]
    record = {
        "task": spec.task,
        "images": f"{format_image_size(spec)} (channels x height x width), {pixels}",
        "weights": spec.parameters,
        "symmetry": SYMMETRY_TEXTS.get(spec.symmetry, spec.symmetry),
        "paper": spec.paper,
        "plugin": owner,
        "tags": spec.tags,
    }
    print_record(record, indent=INDENT)
    _print_options(f'Options of zoo.create("{name}", ...) and --config', spec.build, _get_model_defaults(spec))
    recipes = {"default": spec.recipe, **spec.recipes}
    print_section("Recipes (zoo fit --recipe NAME, --set FIELD=VALUE)")
    texts = {key: _describe_recipe(recipe, Recipe()) for key, recipe in recipes.items()}
    print_record(texts, indent=INDENT)
    trained = [value for value in REGISTRIES["trained"].values() if value.model == name]
    if trained:
        print_section("Trained weights")
        print_record({each.name: _describe_score(each) for each in trained}, indent=INDENT)
    _print_examples(_list_model_examples(name, spec, trained))


def _get_model_defaults(spec: ModelSpec) -> dict[str, Any]:
    return {"size": spec.size, "channels": spec.channels, **spec.config}


def _list_model_examples(name: str, spec: ModelSpec, trained: Iterable[TrainedWeights]) -> list[str]:
    data = next((key for key, each in REGISTRIES["datasets"].items() if _fits(each, spec)), "./photos")
    examples = [f"zoo fit {name} {data}"]
    for weights in list(trained)[:1]:
        examples += [spec.task_info.command.format(model=weights.name)]
        examples += [] if spec.task_info.is_generative else [f"zoo fit {name} ./photos --from {weights.name}"]
    return examples


def _fits(dataset: DatasetSpec, model: ModelSpec) -> bool:
    return (dataset.size, dataset.channels) == (model.size, model.channels)


def _has_accuracy(model: ModelSpec) -> bool:
    return model.task in TASK_INFO and model.task_info.has_accuracy


def _print_options(title: str, build: str, defaults: Mapping[str, Any]) -> None:
    options = read_options(build, defaults)
    if options:
        print_section(title)
        rows = [
            {"option": each.name, "type": each.type, "default": each.default, "meaning": each.text} for each in options
        ]
        print_table(
            [{key: INDENT * (key == "option") + text for key, text in row.items()} for row in rows], OPTION_COLUMNS
        )


def _describe_recipe(recipe: Recipe, default: Recipe) -> str:
    """Return the epochs and the learning rate, and all other fields that differ from zoo's defaults."""
    values, defaults = recipe.to_json(), default.to_json()
    texts = {key: _format_field(value) for key, value in values.items() if value != defaults[key]}
    texts = {"epochs": str(values["epochs"]), "lr": _format_field(values["lr"]), **texts}
    return ", ".join(f"{key}={text}" for key, text in texts.items())


def _format_field(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_format_field, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _describe_score(weights: TrainedWeights) -> str:
    if weights.accuracy is None:
        return f"trained on {weights.data}"
    return f"accuracy {weights.accuracy:.4f} on {weights.scored_on}"


def _print_encoder(name: str, spec: EncoderSpec, owner: str) -> None:
    symmetry = "D4: rotating or mirroring a square grid rotates or mirrors the result" if spec.symmetry else ""
    print_record({"symmetry": symmetry, "paper": spec.paper, "plugin": owner, "tags": spec.tags}, indent=INDENT)
    _print_options("""Options (--config 'options={"NAME": VALUE}')""", spec.build, {})
    examples = [f"zoo fit graph-classifier fashion-mnist-7x7 --config encoder={name}"]
    _print_examples(examples if "graph-classifier" in REGISTRIES["models"] else [])


def _print_dataset(name: str, spec: DatasetSpec, owner: str) -> None:
    record = {
        "images": f"{format_image_size(spec)} (channels x height x width)",
        **{part: f"{count:,} images" for part, count in spec.counts.items()},
        "classes": f"{len(spec.classes)}: {', '.join(spec.classes)}",
        "license": spec.license,
        "source": spec.source,
        "ships": "with zoo, no download" if spec.bundled else "no: it is downloaded, or read from $ZOO_DATA",
        "plugin": owner,
        "tags": spec.tags,
    }
    print_record(record, indent=INDENT)
    models = [key for key, each in REGISTRIES["models"].items() if _fits(spec, each) and _has_accuracy(each)]
    _print_examples([f"zoo data {name} --picture classes.png", *(f"zoo fit {each} {name}" for each in models[:1])])


def _print_experiment(name: str, spec: Experiment, owner: str) -> None:
    record = {
        "source": spec.source,
        "data": spec.dataset,
        "seeds": spec.seeds,
        "metrics": spec.metrics,
        "plugin": owner,
    }
    print_record(record, indent=INDENT)
    if spec.text:
        click.echo()
        print_markdown(spec.text)
    metric = spec.metrics[0]
    print_section("Rows")
    rows = [
        {"row": row.label, "model": row.model, "recipe": row.recipe, f"paper's {metric}": row.paper.get(metric)}
        for row in spec.rows
    ]
    columns = (
        Column("row", wrap=True),
        Column("model"),
        Column("recipe", drop_order=1),
        Column(f"paper's {metric}", True),
    )
    print_table(rows, columns)
    _print_examples([f"zoo experiment run {name} --quick", f"zoo experiment report {name}"])


def _print_source(name: str, source: Source, owner: str) -> None:
    print_record({"models": len(source.list_names()), "plugin": owner}, indent=INDENT)
    examples = [f"zoo list '{name}:*'"]
    _print_examples([*examples, *(f"zoo info {name}:{each}" for each in source.list_names()[:1])])


def _print_trained(name: str, weights: TrainedWeights) -> None:
    manifest = weights.manifest
    record = {
        "model": weights.model,
        "trained on": weights.data,
        "begun from": manifest.base,
        "weights": weights.parameters,
        "file": f"{weights.num_bytes:,} bytes",
        "classes": f"{len(manifest.classes.names)}: {', '.join(manifest.classes.names)}" if manifest.classes else "",
        "license": weights.license,
        "recipe": _describe_recipe(manifest.recipe, Recipe()) if manifest.recipe else "",
        "folder": str(weights.folder),
    }
    print_record(record, indent=INDENT)
    for score in manifest.scores:
        print_section(f"Scores on {score.data} ({score.count:,} images)")
        print_record({key: f"{value:.4f}" for key, value in score.metrics.items()}, indent=INDENT)
    examples = [manifest.task_info.command.format(model=name)]
    if manifest.task_info.has_accuracy:
        examples += [f"zoo evaluate {name} {weights.scored_on.partition('/')[0]}"]
    _print_examples([*examples, f"python -c \"import zoo; zoo.load('{name}')\""])


def print_section(title: str) -> None:
    """Print the title of a section, after a blank line."""
    click.echo()
    print_text(title, bold=True)


def _print_examples(examples: list[str]) -> None:
    if examples:
        print_section("Try it")
        for line in examples:
            click.echo(f"{INDENT}{line}")
