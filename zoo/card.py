"""Manifest and history to the README.md that lies with the weights."""

from __future__ import annotations

from zoo.history import History
from zoo.manifest import Manifest


def card_text(manifest: Manifest, history: History) -> str:
    """Return the model card: what it is, how to use it, how it was trained."""
    height, width = manifest.preprocessing.size
    lines = [
        f"# {manifest.model}",
        "",
        f"A zoo model of plugin `{manifest.origin.plugin}` ({manifest.origin.distribution} {manifest.origin.version}), "
        f"for images of {height} x {width} pixels and {manifest.preprocessing.channels} channel(s).",
        "",
        "```python",
        "import zoo",
        "",
        'model = zoo.load("./path/of/this/folder")',
        "labels = model.predict(images)",
        "```",
        "",
        f"Classes: {', '.join(manifest.classes.names)}",
        "",
        *_training(manifest, history),
    ]
    return "\n".join(lines)


def _training(manifest: Manifest, history: History) -> list[str]:
    if not history:
        return ["Not trained: these are the weights of its seed.", ""]
    columns = [name for name in history.columns if name not in ("seconds", "images_per_second")]
    head = [f"Trained on {manifest.data or 'data without a name'} with seed {manifest.seed}.", ""]
    table = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    rows = [f"| {' | '.join(_cell(row.get(name)) for name in columns)} |" for row in history]
    return [*head, *table, *rows, ""]


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
