"""Write the page docs/benchmarks.md from the results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ORDER = (
    "gcn-training",
    "gcn-training-28",
    "growth",
    "floor",
    "prediction",
    "latency",
    "cnn-simple-training",
    "cnn-deep-training",
    "data-path",
)


def write_page(folder: Path) -> Path:
    """Write the page next to the folder of results, and return its path."""
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    results.sort(key=lambda each: (ORDER.index(each["name"]) if each["name"] in ORDER else len(ORDER), each["name"]))
    text = [
        "# Benchmarks",
        "",
        "`python -m benchmarks report` writes this page from the results in `docs/benchmarks/`, and",
        "`python -m benchmarks NAME` writes one result. The peers of a comparison run in turn in one process, after",
        "one round to warm up. Seconds depend on the machine and its load. The ratios vary less: they are medians,",
        "over the rounds, of the seconds divided by those of the first line.",
        "",
    ]
    for result in results:
        text += [*render_result(result), ""]
    path = folder.with_suffix(".md")
    path.write_text("\n".join(text))
    return path


def render_result(result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a result as Markdown."""
    yield f"## {result['title']}"
    yield ""
    yield f"`python -m benchmarks {result['name']}`. {result['about']}"
    yield ""
    others = list(dict.fromkeys(key for row in result["rows"] for key in row if key not in STANDARD_COLUMNS))
    yield "| " + " | ".join(["", f"median per {result['unit']}", "fastest", "times the first", *others, "how"]) + " |"
    yield "|" + " --- |" * (5 + len(others))
    for row in result["rows"]:
        values = [_format_value(row.get(key, "")) for key in others]
        times = [_format_seconds(row["median"]), _format_seconds(row["fastest"]), f"{row['ratio']:g}"]
        yield "| " + " | ".join([row["label"], *times, *values, row["note"]]) + " |"
    yield ""
    for check in result["checks"]:
        yield f"- {check}"
    machine = result["where"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    rounds = len(result["rows"][0]["seconds"])
    device = f"{machine['processor']}, {machine['threads']} of {machine['cores']} threads, load {machine['load']}"
    yield f"- {rounds} rounds on {device}; {versions}."


STANDARD_COLUMNS = ("label", "note", "seconds", "median", "fastest", "ratio")


def _format_seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def _format_value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
