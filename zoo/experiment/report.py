"""Write the report of an experiment, zoo's numbers beside the paper's: as Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any

from zoo.experiment.freshness import select_fresh_cells
from zoo.experiment.ledger import Cell
from zoo.experiment.summary import Summary, summarize_rows
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.plugins.import_string import import_object

LOSS_EPOCHS = (1, 2, 5, 10, 20, 30)
"""Epochs whose losses are compared with the paper's."""
CSV_COLUMNS = (
    "experiment",
    "row",
    "metric",
    "paper",
    "mean",
    "std",
    "low",
    "high",
    "n",
    "verdict",
    "weights",
    "seconds",
)


def to_markdown(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return the page: the table, a verdict for each row, losses by epoch, devices and versions."""
    lines = (*render_body(experiment, cells), *render_details(experiment, cells))
    return "\n".join((f"# {format_title(experiment)}", "", *lines)) + "\n"


def format_title(experiment: Experiment) -> str:
    """Return the summary of an experiment, with a capital, for a heading."""
    return experiment.summary[:1].upper() + experiment.summary[1:]


def render_body(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the lines of source and data, the text, the table and the verdicts."""
    fresh = select_fresh_cells(experiment, cells)
    yield f"{experiment.source}. Data: {experiment.dataset}."
    yield f"Scores on the test images; written by `zoo experiment run {experiment.name}`."
    if any(cell.quick for cell in fresh):
        yield "**Quick cells are included: one epoch on few images, which only shows that the experiment runs.**"
    if len(fresh) < len(cells):
        yield f"{len(cells) - len(fresh)} cells are left out, because their rows have changed since."
    if experiment.text:
        yield from ("", experiment.text)
    rows = summarize_rows(experiment, cells)
    yield from ("", *_render_table(experiment, rows), "")
    if any(experiment.metrics[0] in row.paper for row in experiment.rows):
        tolerance_text = f"within {experiment.tolerance:g} of it"
        yield f"A paper's number is *reproduced* if zoo's mean is {tolerance_text}, or if it is between"
        yield "zoo's lowest and highest seed. Otherwise it is *beaten* if zoo's mean is better, else *not reproduced*."
        yield ""
    yield from (f"- {row.row.label}: {row.sentence}" for row in rows if row.has_remark)
    if any(row.primary and row.rest_command for row in rows):
        yield f"- Some seeds are not yet run: `zoo experiment run {experiment.name}`."
    yield from render_joint_verdict(experiment, fresh)


def render_joint_verdict(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the sentences of the experiment's own `verdict` function, which compares the rows."""
    if experiment.verdict and cells:
        yield from ("", "All rows together:", "")
        yield from (f"- {sentence}" for sentence in import_object(experiment.verdict, experiment.name)(cells))


def _render_table(experiment: Experiment, rows: Sequence[Summary]) -> Iterator[str]:
    first, *others = experiment.metrics
    columns = ("run", "weights", "paper", f"{first}, mean ± std", "n", "range", "verdict", *others, "seconds, median")
    yield _format_row(*columns)
    yield _format_row(*["---"] * len(columns))
    for row in rows:
        paper = _format_paper_value(row.row, first)
        if row.primary is None:
            yield _format_row(row.row.label, "", paper, "not yet run", 0, "", "", *[""] * len(others), "")
            continue
        head = (row.row.label, f"{row.cells[0].parameters:,}", paper, row.primary, len(row.primary.values))
        stats = {stat.name: str(stat) for stat in row.stats}
        other_metrics = [stats.get(name, "") for name in others]
        seconds = f"{row.seconds:.1f}{_format_paper_seconds(row.row)}"
        yield _format_row(*head, row.primary.range_text, row.verdict or "-", *other_metrics, seconds)


def _format_paper_seconds(row: Row) -> str:
    seconds = row.paper.get("seconds")
    return f" (paper {seconds:.1f})" if isinstance(seconds, int | float) else ""


def _format_paper_value(row: Row, metric: str) -> str:
    paper = row.paper.get(metric)
    return f"{paper:.4f}" if isinstance(paper, int | float) else "-"


def _format_row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def render_details(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the training losses by epoch beside the paper's, where it has them, and the devices and versions."""
    fresh = select_fresh_cells(experiment, cells)
    for row in experiment.rows:
        yield from _render_losses(row, [cell for cell in fresh if cell.row == row.label and not cell.quick])
    yield ""
    environments = {f"{cell.device}; {', '.join(f'{k} {v}' for k, v in cell.versions.items())}" for cell in fresh}
    yield from (f"Run on {environment}." for environment in sorted(environments))


def _render_losses(row: Row, cells: Sequence[Cell]) -> Iterator[str]:
    paper = row.paper.get("loss")
    if not isinstance(paper, tuple) or not cells:
        return
    yield ""
    yield f"Training loss of {row.label}, {len(cells)} seeds:"
    yield ""
    yield "| epoch | paper | zoo, mean | zoo, range | brackets |"
    yield "| --- | --- | --- | --- | --- |"
    for epoch in (number for number in LOSS_EPOCHS if number <= len(paper)):
        losses = [cell.history[epoch - 1]["loss"] for cell in cells if len(cell.history) >= epoch]
        low, high, paper_loss = min(losses), max(losses), paper[epoch - 1]
        span, brackets = f"{low:.4f} to {high:.4f}", "yes" if low <= paper_loss <= high else "no"
        yield _format_row(epoch, f"{paper_loss:.4f}", f"{mean(losses):.4f}", span, brackets)


def make_records(experiment: Experiment, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return a record for each row and metric; the numbers of a row that is not run are empty."""
    return [record for row in summarize_rows(experiment, cells) for record in _make_row_records(experiment, row)]


def _make_row_records(experiment: Experiment, row: Summary) -> Iterator[dict[str, Any]]:
    head = {"experiment": experiment.name, "row": row.row.label}
    if not row.stats:
        paper = row.row.paper.get(experiment.metrics[0])
        yield dict.fromkeys(CSV_COLUMNS) | head | {"metric": experiment.metrics[0], "paper": paper, "n": 0}
    for stat in row.stats:
        numbers = {"paper": stat.paper, "mean": stat.mean, "std": stat.std, "n": len(stat.values)}
        span = {"low": min(stat.values), "high": max(stat.values)}
        verdict_fields = {
            "verdict": "" if row.is_quick else stat.judge(row.tolerance),
            "weights": row.cells[0].parameters,
            "seconds": row.seconds,
        }
        yield {name: {**head, "metric": stat.name, **numbers, **span, **verdict_fields}[name] for name in CSV_COLUMNS}


def to_csv(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return the records as CSV text, under a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(make_records(experiment, cells))
    return text.getvalue()


def to_json(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return the records and the verdicts as JSON text."""
    fresh, summaries = select_fresh_cells(experiment, cells), summarize_rows(experiment, cells)
    report = {
        "experiment": experiment.name,
        "source": experiment.source,
        "tolerance": experiment.tolerance,
        "is_quick": any(cell.quick for cell in fresh),
        "rows": make_records(experiment, cells),
        "verdicts": {row.row.label: row.sentence for row in summaries},
        "not_yet_run": {row.row.label: row.rest_command for row in summaries if row.rest_command},
        "together": [line[2:] for line in render_joint_verdict(experiment, fresh) if line.startswith("- ")],
    }
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


FORMATS = {"markdown": (".md", to_markdown), "csv": (".csv", to_csv), "json": (".json", to_json)}
"""By format: the suffix of the file, and the function that writes the report."""
