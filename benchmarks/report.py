"""The page docs/benchmarks.md, written from the results."""

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


def write(folder: Path) -> Path:
    """Write the page beside the folder of results, and return its path."""
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    results.sort(key=lambda each: (ORDER.index(each["name"]) if each["name"] in ORDER else len(ORDER), each["name"]))
    text = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks report` from the results in `docs/benchmarks/`; each is made by",
        "`python -m benchmarks NAME`. Peers run in turn in one process, after one round to warm up. Seconds depend on",
        "the machine and on what else it does; ratios, medians over rounds against the first line, are steadier.",
        "",
    ]
    for result in results:
        text += [*lines(result), ""]
    path = folder.with_suffix(".md")
    path.write_text("\n".join(text))
    return path


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield a result as Markdown."""
    yield f"## {result['title']}"
    yield ""
    yield f"`python -m benchmarks {result['name']}`. {result['about']}"
    yield ""
    others = list(dict.fromkeys(key for row in result["rows"] for key in row if key not in KNOWN))
    yield "| " + " | ".join(["", f"median, a {result['unit']}", "fastest", "times the first", *others, "how"]) + " |"
    yield "|" + " --- |" * (5 + len(others))
    for row in result["rows"]:
        more = [_told(row.get(key, "")) for key in others]
        times = [_seconds(row["median"]), _seconds(row["fastest"]), f"{row['ratio']:g}"]
        yield "| " + " | ".join([row["label"], *times, *more, row["note"]]) + " |"
    yield ""
    for check in result["checks"]:
        yield f"- {check}"
    at = result["where"]
    versions = ", ".join(f"{name} {number}" for name, number in at["versions"].items())
    rounds = len(result["rows"][0]["seconds"])
    place = f"{at['processor']}, {at['threads']} of {at['cores']} threads, load {at['load']}"
    yield f"- {rounds} rounds on {place}; {versions}."


KNOWN = ("label", "note", "seconds", "median", "fastest", "ratio")


def _seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
