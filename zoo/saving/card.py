"""Manifest and history to the README.md that lies with the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zoo.history import History
from zoo.recipe import Recipe
from zoo.saving.card_merge import BEGIN_MARK, END_MARK, join_card
from zoo.saving.manifest import Manifest, Score
from zoo.saving.reference import is_hub_reference

MAX_ROWS = 20
"""Epochs shown; of longer training every so many."""


def render_card(manifest: Manifest, history: History, reference: str = "") -> str:
    """Return the model card: metadata, what it is, how to use it, what it reached, how it was trained, its limits.

    Args:
        manifest: What is stored with the weights.
        history: A row an epoch.
        reference: What to write in `zoo.load(...)`.
    """
    parts = [
        BEGIN_MARK,
        _render_summary(manifest),
        _render_usage(manifest, reference),
        _render_scores(manifest.scores),
        _render_training(manifest, history),
        _render_limits(manifest),
        END_MARK,
    ]
    return join_card(_build_metadata(manifest), "\n\n".join(part for part in parts if part) + "\n")


def _build_metadata(manifest: Manifest) -> dict[str, Any]:
    data = manifest.data.partition("/")[0]
    record: dict[str, Any] = {"library_name": "zoo-models"}
    if manifest.license:
        record["license"] = manifest.license
    if is_hub_reference(manifest.base):
        record["base_model"] = manifest.base.removeprefix("hf:").partition("@")[0]
    tag = manifest.task_info.pipeline_tag
    record |= {"pipeline_tag": tag, "tags": ["zoo", tag, manifest.model]}
    if data:
        record["datasets"] = [data]
    if manifest.scores:
        record["model-index"] = [
            {"name": manifest.model, "results": [_build_result(score) for score in manifest.scores]}
        ]
    return record


def _build_result(score: Score) -> dict[str, Any]:
    name, _, split = score.data.partition("/")
    return {
        "task": {"type": "image-classification", "name": "Image Classification"},
        "dataset": {"name": name or "unnamed", "type": name or "unnamed", "split": split or "test"},
        "metrics": [{"type": key, "name": key, "value": value} for key, value in score.metrics.items()],
    }


def _render_summary(manifest: Manifest) -> str:
    height, width = manifest.preprocessing.size
    origin, channels = manifest.origin, manifest.preprocessing.channels
    colours = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
    begun = f" It began from the weights of `{manifest.base}`." if manifest.base else ""
    return (
        f"# {manifest.model}\n\n"
        f"{manifest.task_info.headline} {colours} images of {height} x {width} pixels, with {manifest.parameters:,} weights "
        f"({manifest.dtype}), of plugin `{origin.plugin}` ({origin.distribution} {origin.version}).{begun}\n\n"
        f"Classes: {', '.join(map(_escape_markdown, manifest.classes.names))}."
    )


def _render_usage(manifest: Manifest, reference: str) -> str:
    where = reference or "./path/of/this/folder"
    revision = "" if not is_hub_reference(where) else "  # add @revision to pin it"
    return (
        f"## Use\n\n```\npip install {manifest.origin.distribution}\n```\n\n```python\nimport zoo\n\n"
        f'model = zoo.load("{where}"){revision}\n{manifest.task_info.usage}\n```'
    )


def _render_scores(scores: tuple[Score, ...]) -> str:
    if not scores:
        return ""
    columns = list(dict.fromkeys(name for score in scores for name in score.metrics))
    rows = [
        [
            _escape_markdown(score.data) or "unnamed",
            f"{score.count:,}",
            *(_format_cell(score.metrics.get(name)) for name in columns),
        ]
        for score in scores
    ]
    notes = [_escape_markdown(f"{score.data}: {', '.join(map(' '.join, score.protocol.items()))}.") for score in scores]
    return "\n\n".join(["## Scores", _render_table(["images of", "count", *columns], rows), *notes])


def _render_training(manifest: Manifest, history: History) -> str:
    if not history:
        how = f"begun from `{manifest.base}`, not trained further" if manifest.base else "the weights of its seed"
        return f"## Training\n\nNot trained: {how}."
    columns = [name for name in history.columns if name not in ("seconds", "images_per_second")]
    every = -(-len(history) // MAX_ROWS)
    shown = [row for place, row in enumerate(history, 1) if place % every == 0 or place in (1, len(history))]
    table = _render_table(columns, [[_format_cell(row.get(name)) for name in columns] for row in shown])
    told = f"On {_escape_markdown(manifest.data) or 'data without a name'} with seed {manifest.seed}, {len(history)} epochs."
    stopped = f" It ended early: {_escape_markdown(manifest.stopped)}." if manifest.stopped else ""
    versions = ", ".join(f"{name} {word}" for name, word in manifest.versions.items())
    again = _render_reproduction(manifest, history)
    return f"## Training\n\n{told}{stopped} Saved with {versions}.{again}\n\n{table}"


def _render_reproduction(manifest: Manifest, history: History) -> str:
    """Return the lines of Python that train the same weights; in words where one `fit` does not tell it all."""
    if manifest.recipe is None:
        return ""
    default = Recipe().to_json()
    told = {key: _to_tuple(value) for key, value in manifest.recipe.to_json().items() if value != default[key]}
    recipe = f"zoo.Recipe({_format_arguments(told)})"
    name, _, part = manifest.data.partition("/")
    if part != "train" or manifest.base or len(history) != manifest.recipe.epochs:
        return f" The last recipe: `{recipe}`."
    return (
        f" The same again:\n\n```python\ndata = zoo.dataset({_format_literal(name)})\n"
        f"model = zoo.create({_format_literal(manifest.model)}, seed={manifest.seed}, {_format_arguments(manifest.config)})\n"
        f"model.fit(data.train, recipe={recipe})\n```"
    )


def _format_arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_format_literal(value)}" for key, value in values.items())


def _format_literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _render_limits(manifest: Manifest) -> str:
    height, width = manifest.preprocessing.size
    text = manifest.task_info.limits.format(
        num_classes=len(manifest.classes),
        size=f"{height} x {width}",
        resize=manifest.preprocessing.resize,
        scored="" if manifest.scores else " It has not been scored on held-back images.",
    )
    return f"## Limits\n\n{text}"


def _render_table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def _format_cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _escape_markdown(text: str) -> str:
    """Return text in one line that Markdown shows as it is."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`|*[]$" else letter for letter in line)
