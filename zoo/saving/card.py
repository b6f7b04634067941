"""Render the model card, the README.md beside the weights, from manifest and history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zoo.recipe import Recipe
from zoo.saving.card_merge import BEGIN_MARK, END_MARK, join_card
from zoo.saving.history import History
from zoo.saving.manifest import Manifest, Score
from zoo.saving.reference import is_hub_reference

MAX_ROWS = 20
"""Approximate number of epochs shown; of longer trainings every n-th epoch."""


def render_card(manifest: Manifest, history: History, reference: str = "") -> str:
    """Return a model card: metadata, summary, usage, scores, training and limits.

    Args:
        manifest: The manifest of the weights.
        history: One row per epoch.
        reference: What the card passes to `zoo.load`.
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
    base = f" Its training began from the weights of `{manifest.base}`." if manifest.base else ""
    return (
        f"# {manifest.model}\n\n"
        f"{manifest.task_info.headline} {colours} images of {height} x {width} pixels, with {manifest.parameters:,} "
        f"weights ({manifest.dtype}), of plugin `{origin.plugin}` ({origin.distribution} {origin.version}).{base}\n\n"
        f"Classes: {', '.join(map(_escape_markdown, manifest.classes.names))}."
    )


def _render_usage(manifest: Manifest, reference: str) -> str:
    reference = reference or "./path/of/this/folder"
    advice = "  # add @revision to pin it" if is_hub_reference(reference) else ""
    return (
        f"## Use\n\n```\npip install {manifest.origin.distribution}\n```\n\n```python\nimport zoo\n\n"
        f'model = zoo.load("{reference}"){advice}\n{manifest.task_info.usage}\n```'
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
        origin = f"those of `{manifest.base}`" if manifest.base else "random, from its seed"
        return f"## Training\n\nNot trained: the weights are {origin}."
    columns = [name for name in history.columns if name not in ("seconds", "images_per_second")]
    step = -(-len(history) // MAX_ROWS)
    rows = [row for epoch, row in enumerate(history, 1) if epoch % step == 0 or epoch in (1, len(history))]
    table = _render_table(columns, [[_format_cell(row.get(name)) for name in columns] for row in rows])
    data = _escape_markdown(manifest.data) or "data without a name"
    summary = f"Trained on {data} with seed {manifest.seed} for {len(history)} epochs."
    stopped = f" It ended early: {_escape_markdown(manifest.stopped)}." if manifest.stopped else ""
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    code = _render_reproduction(manifest, history)
    return f"## Training\n\n{summary}{stopped} Saved with {versions}.{code}\n\n{table}"


def _render_reproduction(manifest: Manifest, history: History) -> str:
    """Return Python that trains the same weights, or only the recipe if one `fit` is not the whole training."""
    if manifest.recipe is None:
        return ""
    default = Recipe().to_json()
    changes = {key: _to_tuple(value) for key, value in manifest.recipe.to_json().items() if value != default[key]}
    recipe = f"zoo.Recipe({_format_arguments(changes)})"
    name, _, part = manifest.data.partition("/")
    if part != "train" or manifest.base or len(history) != manifest.recipe.epochs:
        return f" The last recipe: `{recipe}`."
    options = f"seed={manifest.seed}, {_format_arguments(manifest.config)}"
    return (
        f" To train it again:\n\n```python\ndata = zoo.dataset({_format_literal(name)})\n"
        f"model = zoo.create({_format_literal(manifest.model)}, {options})\n"
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
        scored="" if manifest.scores else " It has not been scored on test images.",
    )
    return f"## Limits\n\n{text}"


def _render_table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def _format_cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _escape_markdown(text: str) -> str:
    """Return text as one line with the special characters of Markdown escaped."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`|*[]$" else letter for letter in line)
