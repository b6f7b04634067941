"""`zoo runs`: trainings on this machine; and what one was begun with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from zoo.cli.output import json_option, print_json, print_table
from zoo.errors import ConfigError, WeightsError, ZooError
from zoo.training.checkpoint import run_file as record
from zoo.training.checkpoint.run_file import CHECKPOINTS, RUN, RunRecord, is_main_process

MAX_PROBLEM_LENGTH = 300
"""Letters of a problem that are shown in a terminal."""


@click.command()
@click.argument("place", type=click.Path(file_okay=False, path_type=Path), default="runs")
@json_option
def runs(root: Path, as_json: bool) -> None:
    """List the trainings in PLACE (by default ./runs): how far each is, its best epoch, and how to go on with it."""
    rows = [_describe_run(folder) for folder in record.find_runs(root)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table([_format_row(row) for row in rows], right_aligned=("epochs",))
        for row in rows:
            if row["state"] in ("failed", "damaged"):
                click.echo(f"{row['run']}: {_truncate(row['problem'])}")
    else:
        click.echo(f"no runs in {root}; zoo fit MODEL DATA begins one")


def _describe_run(folder: Path) -> dict[str, Any]:
    try:
        told = record.read_record(folder)
    except WeightsError as error:
        return {"run": str(folder), "state": "damaged", "problem": str(error)}
    state, is_kept = (
        record.get_current_state(folder, told),
        (folder / CHECKPOINTS).is_dir() and told.command is not None,
    )
    state = "not saved" if state == "done" and is_kept else state  # it was stopped after its last step
    resume = f"zoo fit --resume {folder}" if is_kept and state != "running" else ""
    return {"run": str(folder), **vars(told), "state": state, "resume": resume}


def _format_row(row: dict[str, Any]) -> dict[str, Any]:
    best = f"{row['monitor']} {row['value']:.4f}" if row.get("value") is not None else ""
    return {
        "run": row["run"],
        "model": row.get("model", ""),
        "state": row["state"],
        "epochs": f"{row['epoch']}/{row['epochs']}" if "epoch" in row else "",
        "best": best,
        "updated": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["updated"])) if row.get("updated") else "",
        "go on with": row.get("resume") or _python_resume_call(row),
    }


def _python_resume_call(row: dict[str, Any]) -> str:
    """Return how to go on with a run that was begun in Python and is not done."""
    can_go_on = row["state"] in ("interrupted", "killed", "failed") and (Path(row["run"]) / CHECKPOINTS).is_dir()
    return f"fit(..., checkpoint={row['run']!r}, resume=True)" if can_go_on else ""


def _truncate(problem: str) -> str:
    return (
        problem
        if len(problem) <= MAX_PROBLEM_LENGTH
        else f"{problem[:MAX_PROBLEM_LENGTH]}... (zoo runs --json shows all)"
    )


@contextmanager
def record_run(folder: Path, model: str, command: dict[str, Any]) -> Iterator[None]:
    """Write down what a run is begun with, and take it back where an error keeps it from beginning.

    Raises:
        ConfigError: There is a run with checkpoints; it is left alone.
        WeightsError: The folder cannot be written.
    """
    made = [each for each in (folder / CHECKPOINTS, folder, *folder.parents) if not each.exists()]
    earlier = (folder / RUN).read_bytes() if (folder / RUN).is_file() else None
    _write_record(folder, model, command)
    try:
        yield
    except ZooError:
        if is_main_process() and record.read_record(folder).state == "running":
            _undo_record(folder, earlier, made)
        raise


def _undo_record(folder: Path, previous: bytes | None, new_folders: list[Path]) -> None:
    """Leave a folder as it was before the note; `new_folders` are those that were not there, innermost first."""
    if previous is None:
        (folder / RUN).unlink()
    else:
        (folder / RUN).write_bytes(previous)
    for each in new_folders:
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()


def _write_record(folder: Path, model: str, command: dict[str, Any]) -> None:
    """Write down what a run is begun with, before it begins; a run that can still go on is left alone.

    Raises:
        ConfigError: There is a run with checkpoints.
        WeightsError: The folder cannot be written.
    """
    if not is_main_process():
        return
    if (folder / CHECKPOINTS).is_dir() and any((folder / CHECKPOINTS).iterdir()):
        raise ConfigError(f"{folder} holds a run that is not done; zoo fit --resume {folder} goes on with it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record.write_record(folder, RunRecord(model=model, command=command).replace())
    except OSError as error:
        raise WeightsError(f"cannot keep a run in {folder}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise WeightsError(f"cannot keep a run in {folder}: {error}") from error


def load_command(folder: Path) -> dict[str, Any]:
    """Return the words that a run was begun with.

    Raises:
        WeightsError: There is no run.
        ConfigError: It was begun in Python.
    """
    if not (folder / RUN).is_file():
        raise WeightsError(f"{folder} holds no run ({RUN} is not there); zoo runs lists those there are")
    told = record.read_record(folder).command
    if told is None:
        mend = f"go on there: fit(..., checkpoint={str(folder)!r}, resume=True)"
        raise ConfigError(f"{folder} was begun in Python; {mend}")
    return {key: _to_tuples(value) for key, value in told.items()}


def _to_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_tuples(each) for key, each in value.items()}
    return tuple(_to_tuples(each) for each in value) if isinstance(value, list | tuple) else value
