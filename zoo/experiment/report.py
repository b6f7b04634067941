"""A table with the paper's numbers beside ours, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, stdev

from zoo.experiment.run import Cell
from zoo.spec import Experiment, Row

EPOCHS_SHOWN = (1, 2, 5, 10, 20, 30)


def markdown(experiment: Experiment, cells: Sequence[Cell]) -> str:
    """Return the table: for each row paper, ours as mean ± standard deviation over seeds, and whether it lands."""
    return "\n".join(_lines(experiment, cells)) + "\n"


def _lines(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    yield f"# {experiment.summary}"
    yield ""
    yield f"{experiment.source}. Data: {experiment.dataset}."
    yield f"Test accuracy; written by `zoo experiment run {experiment.name}`."
    if any(cell.quick for cell in cells):
        yield "**Quick cells of one epoch are among these: they only show that it runs.**"
    yield ""
    yield "| run | weights | paper | ours, mean ± std | n | range | lands | seconds a run, median |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in experiment.rows:
        yield _row(experiment, row, [cell for cell in cells if cell.row == row.label])
    yield ""
    yield f"*Lands*: the paper's number lies within {experiment.tolerance:g} of our mean, or inside our range;"
    yield "*above*: ours is better by more."
    yield from _curves(experiment, cells)
    yield from _devices(cells)


def _row(experiment: Experiment, row: Row, cells: Sequence[Cell]) -> str:
    paper = row.paper.get("accuracy")
    stated = f"{paper:.4f}" if isinstance(paper, float) else "-"
    if not cells:
        return f"| {row.label} | | {stated} | not run | 0 | | | |"
    scores = [cell.metrics["accuracy"] for cell in cells]
    seconds = sorted(cell.seconds for cell in cells)[len(cells) // 2]
    low, high = min(scores), max(scores)
    lands = _verdict(paper, scores, experiment.tolerance) if isinstance(paper, float) else "-"
    spread = f" ± {stdev(scores):.4f}" if len(scores) > 1 else ""
    ours = f"{mean(scores):.4f}{spread}"
    span = f"{low:.4f} to {high:.4f}"
    return _line(row.label, f"{cells[0].parameters:,}", stated, ours, len(scores), span, lands, f"{seconds:.1f}")


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _verdict(paper: float, scores: Sequence[float], tolerance: float) -> str:
    if abs(mean(scores) - paper) <= tolerance or min(scores) <= paper <= max(scores):
        return "yes"
    return "above" if mean(scores) > paper else "**no**"


def _curves(experiment: Experiment, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the training loss by epoch beside the paper's, where it prints one."""
    for row in experiment.rows:
        paper, runs = row.paper.get("loss"), [cell for cell in cells if cell.row == row.label and not cell.quick]
        if not isinstance(paper, tuple) or not runs:
            continue
        yield ""
        yield f"Training loss of {row.label}, {len(runs)} seeds:"
        yield ""
        yield "| epoch | paper | ours, mean | ours, range | brackets |"
        yield "| --- | --- | --- | --- | --- |"
        for epoch in (number for number in EPOCHS_SHOWN if number <= len(paper)):
            losses = [run.history[epoch - 1]["loss"] for run in runs if len(run.history) >= epoch]
            low, high, stated = min(losses), max(losses), paper[epoch - 1]
            span, inside = f"{low:.4f} to {high:.4f}", "yes" if low <= stated <= high else "no"
            yield _line(epoch, f"{stated:.4f}", f"{mean(losses):.4f}", span, inside)


def _devices(cells: Sequence[Cell]) -> Iterator[str]:
    yield ""
    for told in sorted({f"{cell.device}; {', '.join(f'{k} {v}' for k, v in cell.versions.items())}" for cell in cells}):
        yield f"Run on {told}."
