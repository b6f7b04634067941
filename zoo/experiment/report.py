"""A table with the paper's numbers beside ours: as Markdown, as CSV, as JSON."""

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
    """Return the page: the table, a verdict for each row, losses by epoch, what it was run on."""
    return (
        "\n".join(
            [f"# {format_title(experiment)}", "", *render_body(experiment, cells), *render_details(experiment, cells)]
        )
        + "\n"
    )


def format_title(experiment: Experiment) -> str:
    """Return the summary as a heading."""
    return experiment.summary[:1].upper() + experiment.summary[1:]


def render_body(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield what is asked, the table, and the verdicts."""
    ours = select_fresh_cells(experiment, cells)
    yield f"{experiment.source}. Data: {experiment.dataset}."
    yield f"Scores on the test images; written by `zoo experiment run {experiment.name}`."
    if any(cell.quick for cell in ours):
        yield "**Quick cells of one epoch and few images are among these: they only show that it runs.**"
    if len(ours) < len(cells):
        yield f"{len(cells) - len(ours)} cells of rows as they were before are left out."
    if experiment.text:
        yield from ("", experiment.text)
    rows = summarize_rows(experiment, cells)
    yield from ("", *_render_table(experiment, rows), "")
    if any(experiment.metrics[0] in row.paper for row in experiment.rows):
        near = f"within {experiment.tolerance:g} of it"
        yield f"A paper's number is *reproduced* when our mean lies {near}, or it lies among our seeds; *beaten* and"
        yield "*not reproduced* say on which side it lies otherwise."
        yield ""
    yield from (f"- {row.row.label}: {row.sentence}" for row in rows if row.has_remark)
    if any(row.primary and row.rest_command for row in rows):
        yield f"- Not all seeds are run; the rest: `zoo experiment run {experiment.name}`."
    yield from render_joint_verdict(experiment, ours)


def render_joint_verdict(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield what the experiment's own function says of its rows together."""
    if experiment.verdict and cells:
        yield from ("", "Together:", "")
        yield from (f"- {sentence}" for sentence in import_object(experiment.verdict, experiment.name)(cells))


def _render_table(experiment: Experiment, rows: Sequence[Summary]) -> Iterator[str]:
    first, *others = experiment.metrics
    yield _format_row(
        "run", "weights", "paper", f"{first}, mean ± std", "n", "range", "verdict", *others, "seconds, median"
    )
    yield _format_row(*["---"] * (8 + len(others)))
    for row in rows:
        stats = {stat.name: stat for stat in row.stats}
        if row.primary is None:
            yield _format_row(
                row.row.label,
                "",
                _format_paper_value(row.row, first),
                "not yet run",
                0,
                "",
                "",
                *[""] * len(others),
                "",
            )
            continue
        shown = [str(stats[name]) if name in stats else "" for name in others]
        count, weights = len(row.primary.values), f"{row.cells[0].parameters:,}"
        span, seconds = row.primary.range_text, f"{row.seconds:.1f}{_format_paper_seconds(row.row)}"
        head = (
            row.row.label,
            weights,
            _format_paper_value(row.row, first),
            row.primary,
            count,
            span,
            row.verdict or "-",
        )
        yield _format_row(*head, *shown, seconds)


def _format_paper_seconds(row: Row) -> str:
    seconds = row.paper.get("seconds")
    return f" (paper {seconds:.1f})" if isinstance(seconds, int | float) else ""


def _format_paper_value(row: Row, metric: str) -> str:
    paper = row.paper.get(metric)
    return f"{paper:.4f}" if isinstance(paper, int | float) else "-"


def _format_row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def render_details(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the training loss by epoch beside the paper's where it prints one, and what the cells were run on."""
    ours = select_fresh_cells(experiment, cells)
    for row in experiment.rows:
        yield from _render_losses(row, [cell for cell in ours if cell.row == row.label and not cell.quick])
    yield ""
    for told in sorted({f"{cell.device}; {', '.join(f'{k} {v}' for k, v in cell.versions.items())}" for cell in ours}):
        yield f"Run on {told}."


def _render_losses(row: Row, runs: Sequence[Cell]) -> Iterator[str]:
    paper = row.paper.get("loss")
    if not isinstance(paper, tuple) or not runs:
        return
    yield ""
    yield f"Training loss of {row.label}, {len(runs)} seeds:"
    yield ""
    yield "| epoch | paper | ours, mean | ours, range | brackets |"
    yield "| --- | --- | --- | --- | --- |"
    for epoch in (number for number in LOSS_EPOCHS if number <= len(paper)):
        losses = [run.history[epoch - 1]["loss"] for run in runs if len(run.history) >= epoch]
        low, high, stated = min(losses), max(losses), paper[epoch - 1]
        span, inside = f"{low:.4f} to {high:.4f}", "yes" if low <= stated <= high else "no"
        yield _format_row(epoch, f"{stated:.4f}", f"{mean(losses):.4f}", span, inside)


def make_records(experiment: Experiment, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return a record for each row and metric; a row that is not run has empty numbers."""
    return [record for row in summarize_rows(experiment, cells) for record in _make_row_records(experiment, row)]


def _make_row_records(experiment: Experiment, row: Summary) -> Iterator[dict[str, Any]]:
    head = {"experiment": experiment.name, "row": row.row.label}
    if not row.stats:
        paper = row.row.paper.get(experiment.metrics[0])
        yield dict.fromkeys(CSV_COLUMNS) | head | {"metric": experiment.metrics[0], "paper": paper, "n": 0}
    for stat in row.stats:
        numbers = {"paper": stat.paper, "mean": stat.mean, "std": stat.std, "n": len(stat.values)}
        span = {"low": min(stat.values), "high": max(stat.values)}
        told = {
            "verdict": "" if row.is_quick else stat.judge(row.tolerance),
            "weights": row.cells[0].parameters,
            "seconds": row.seconds,
        }
        yield {name: {**head, "metric": stat.name, **numbers, **span, **told}[name] for name in CSV_COLUMNS}


def to_csv(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return a line for each row and metric, under a head."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(make_records(experiment, cells))
    return text.getvalue()


def to_json(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return the rows with their numbers and sentences."""
    told = {
        "experiment": experiment.name,
        "source": experiment.source,
        "tolerance": experiment.tolerance,
        "is_quick": any(cell.quick for cell in select_fresh_cells(experiment, cells)),
        "rows": make_records(experiment, cells),
        "verdicts": {row.row.label: row.sentence for row in summarize_rows(experiment, cells)},
        "not_yet_run": {
            row.row.label: row.rest_command for row in summarize_rows(experiment, cells) if row.rest_command
        },
        "together": [
            line[2:]
            for line in render_joint_verdict(experiment, select_fresh_cells(experiment, cells))
            if line.startswith("- ")
        ],
    }
    return json.dumps(told, indent=2, allow_nan=False) + "\n"


FORMATS = {"markdown": (".md", to_markdown), "csv": (".csv", to_csv), "json": (".json", to_json)}
"""By name: the suffix of its file, and what writes it."""
