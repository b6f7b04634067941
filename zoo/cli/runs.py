"""`zoo runs`: trainings on this machine; and what one was begun with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from zoo.cli.output import as_json, print_json, print_table
from zoo.errors import ConfigError, WeightsError, ZooError
from zoo.training.checkpoint import run_file as record
from zoo.training.checkpoint.run_file import CHECKPOINTS, RUN, Record, is_first

LONGEST = 300
"""Letters of a problem that are shown in a terminal."""


@click.command()
@click.argument("place", type=click.Path(file_okay=False, path_type=Path), default="runs")
@as_json
def runs(place: Path, is_json: bool) -> None:
    """List the trainings in PLACE (by default ./runs): how far each is, its best epoch, and how to go on with it."""
    rows = [_row(folder) for folder in record.found(place)]
    if is_json:
        print_json(rows)
    elif rows:
        print_table([_told(row) for row in rows], right=("epochs",))
        for row in rows:
            if row["state"] in ("failed", "damaged"):
                click.echo(f"{row['run']}: {_cut(row['problem'])}")
    else:
        click.echo(f"no runs in {place}; zoo fit MODEL DATA begins one")


def _row(folder: Path) -> dict[str, Any]:
    try:
        told = record.read(folder)
    except WeightsError as error:
        return {"run": str(folder), "state": "damaged", "problem": str(error)}
    state, is_kept = record.state_now(folder, told), (folder / CHECKPOINTS).is_dir() and told.command is not None
    state = "not saved" if state == "done" and is_kept else state  # it was stopped after its last step
    resume = f"zoo fit --resume {folder}" if is_kept and state != "running" else ""
    return {"run": str(folder), **vars(told), "state": state, "resume": resume}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    best = f"{row['monitor']} {row['value']:.4f}" if row.get("value") is not None else ""
    return {
        "run": row["run"],
        "model": row.get("model", ""),
        "state": row["state"],
        "epochs": f"{row['epoch']}/{row['epochs']}" if "epoch" in row else "",
        "best": best,
        "updated": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["updated"])) if row.get("updated") else "",
        "go on with": row.get("resume") or _in_python(row),
    }


def _in_python(row: dict[str, Any]) -> str:
    """Return how to go on with a run that was begun in Python and is not done."""
    can_go_on = row["state"] in ("interrupted", "killed", "failed") and (Path(row["run"]) / CHECKPOINTS).is_dir()
    return f"fit(..., checkpoint={row['run']!r}, resume=True)" if can_go_on else ""


def _cut(problem: str) -> str:
    return problem if len(problem) <= LONGEST else f"{problem[:LONGEST]}... (zoo runs --json shows all)"


@contextmanager
def noted(folder: Path, model: str, words: dict[str, Any]) -> Iterator[None]:
    """Write down what a run is begun with, and take it back where an error keeps it from beginning.

    Raises:
        ConfigError: There is a run with checkpoints; it is left alone.
        WeightsError: The folder cannot be written.
    """
    made = [each for each in (folder / CHECKPOINTS, folder, *folder.parents) if not each.exists()]
    earlier = (folder / RUN).read_bytes() if (folder / RUN).is_file() else None
    _note(folder, model, words)
    try:
        yield
    except ZooError:
        if is_first() and record.read(folder).state == "running":
            _taken_back(folder, earlier, made)
        raise


def _taken_back(folder: Path, earlier: bytes | None, made: list[Path]) -> None:
    """Leave a folder as it was before the note; `made` are those that were not there, innermost first."""
    if earlier is None:
        (folder / RUN).unlink()
    else:
        (folder / RUN).write_bytes(earlier)
    for each in made:
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()


def _note(folder: Path, model: str, words: dict[str, Any]) -> None:
    """Write down what a run is begun with, before it begins; a run that can still go on is left alone.

    Raises:
        ConfigError: There is a run with checkpoints.
        WeightsError: The folder cannot be written.
    """
    if not is_first():
        return
    if (folder / CHECKPOINTS).is_dir() and any((folder / CHECKPOINTS).iterdir()):
        raise ConfigError(f"{folder} holds a run that is not done; zoo fit --resume {folder} goes on with it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record.write(folder, Record(model=model, command=words).changed())
    except OSError as error:
        raise WeightsError(f"cannot keep a run in {folder}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise WeightsError(f"cannot keep a run in {folder}: {error}") from error


def begun(folder: Path) -> dict[str, Any]:
    """Return the words that a run was begun with.

    Raises:
        WeightsError: There is no run.
        ConfigError: It was begun in Python.
    """
    if not (folder / RUN).is_file():
        raise WeightsError(f"{folder} holds no run ({RUN} is not there); zoo runs lists those there are")
    told = record.read(folder).command
    if told is None:
        mend = f"go on there: fit(..., checkpoint={str(folder)!r}, resume=True)"
        raise ConfigError(f"{folder} was begun in Python; {mend}")
    return {key: _tuples(value) for key, value in told.items()}


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(each) for key, each in value.items()}
    return tuple(_tuples(each) for each in value) if isinstance(value, list | tuple) else value
