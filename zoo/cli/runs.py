"""`zoo runs`: list the trainings on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from zoo.cli.options import json_option
from zoo.cli.output import Column, print_json, print_table, print_text
from zoo.errors import WeightsError
from zoo.saving.folder import CHECKPOINTS
from zoo.training.checkpoint import run_file

MAX_PROBLEM_LENGTH = 300
"""Characters of a problem that are printed."""
COLUMNS = (
    Column("run"),
    Column("model", drop_order=1),
    Column("state"),
    Column("epochs", right=True),
    Column("best", drop_order=3),
    Column("updated", drop_order=2),
)


@click.command()
@click.argument("root", metavar="[FOLDER]", type=click.Path(file_okay=False, path_type=Path), default="runs")
@json_option
def runs(root: Path, as_json: bool) -> None:
    """List the trainings in FOLDER (default ./runs): their state, their best epoch, and how to resume them."""
    rows = [_describe_run(folder) for folder in run_file.find_runs(root)]
    if as_json:
        print_json(rows)
    elif rows:
        print_table([_format_row(row) for row in rows], COLUMNS)
        _print_problems(rows)
    else:
        print_text(f"no runs in {root}; begin one with zoo fit MODEL DATA")


def _describe_run(folder: Path) -> dict[str, Any]:
    try:
        run = run_file.read_record(folder)
    except WeightsError as error:
        return {"run": str(folder), "state": "damaged", "problem": str(error)}
    is_kept = (folder / CHECKPOINTS).is_dir() and run.command is not None
    state = run_file.get_current_state(folder, run)
    state = "not saved" if state == "done" and is_kept else state  # it was stopped after its last step
    resume = f"zoo fit --resume {folder}" if is_kept and state != "running" else ""
    return {"run": str(folder), **vars(run), "state": state, "resume": resume}


def _format_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": row["run"],
        "model": row.get("model", ""),
        "state": row["state"],
        "epochs": f"{row['epoch']}/{row['epochs']}" if "epoch" in row else "",
        "best": f"{row['monitor']} {row['value']:.4f}" if row.get("value") is not None else "",
        "updated": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["updated"])) if row.get("updated") else "",
    }


def _print_problems(rows: list[dict[str, Any]]) -> None:
    """Print why runs ended early, and the commands that resume them."""
    for row in rows:
        if row["state"] in ("failed", "damaged"):
            print_text(f"{row['run']}: {_truncate(row['problem'])}", indent="  ", fg="red")
    calls = [call for row in rows if (call := row.get("resume") or _python_resume_call(row))]
    if calls:
        click.echo("resume with:")
        for call in calls:
            click.echo(f"  {call}")


def _python_resume_call(row: dict[str, Any]) -> str:
    """Return the call that resumes a run begun in Python, or an empty string if it is done."""
    can_resume = row["state"] in ("interrupted", "killed", "failed") and (Path(row["run"]) / CHECKPOINTS).is_dir()
    return f"fit(..., checkpoint={row['run']!r}, resume=True)" if can_resume else ""


def _truncate(problem: str) -> str:
    if len(problem) <= MAX_PROBLEM_LENGTH:
        return problem
    return f"{problem[:MAX_PROBLEM_LENGTH].rpartition(' ')[0]} ... (zoo runs --json shows all)"
