"""Write the command of a training to `run.json` before it begins, and read it to resume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.cli.fit_command import FitCommand
from zoo.errors import ConfigError, WeightsError, ZooError
from zoo.saving.folder import CHECKPOINTS, RUN
from zoo.training.checkpoint.run_file import RunRecord, is_main_process, read_record, write_record


@contextmanager
def record_run(folder: Path, model: str, command: FitCommand) -> Iterator[None]:
    """Write `run.json` before a training begins, and remove it if an error keeps the training from beginning.

    Raises:
        ConfigError: The folder has a run with checkpoints, which is left as it is.
        WeightsError: The folder cannot be written.
    """
    new_folders = [each for each in (folder / CHECKPOINTS, folder, *folder.parents) if not each.exists()]
    previous = (folder / RUN).read_bytes() if (folder / RUN).is_file() else None
    _write_command(folder, model, command)
    try:
        yield
    except ZooError:
        if is_main_process() and read_record(folder).state == "running":
            _undo_record(folder, previous, new_folders)
        raise


def _undo_record(folder: Path, previous: bytes | None, new_folders: list[Path]) -> None:
    """Leave a folder as it was before; `new_folders` did not exist, innermost first."""
    if previous is None:
        (folder / RUN).unlink()
    else:
        (folder / RUN).write_bytes(previous)
    for each in new_folders:
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()


def _write_command(folder: Path, model: str, command: FitCommand) -> None:
    """Write the command of a new run; a run that can be resumed is left as it is.

    Raises:
        ConfigError: The folder has a run with checkpoints.
        WeightsError: The folder cannot be written.
    """
    if not is_main_process():
        return
    if (folder / CHECKPOINTS).is_dir() and any((folder / CHECKPOINTS).iterdir()):
        raise ConfigError(
            f"{folder} has a run that is not finished; resume it with zoo fit --resume {folder}, "
            "or save to another folder with --save"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder, RunRecord(model=model, command=command.to_json()).replace())
    except OSError as error:
        raise WeightsError(f"cannot write a run to {folder}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise WeightsError(f"cannot write a run to {folder}: {error}") from error


def load_command(folder: Path) -> FitCommand:
    """Return the command that a run was begun with.

    Raises:
        WeightsError: There is no run in the folder, or its file is damaged.
        ConfigError: The run was begun in Python.
    """
    if not (folder / RUN).is_file():
        raise WeightsError(f"{folder} has no run (there is no {RUN}); list the runs with zoo runs")
    stored = read_record(folder).command
    if stored is None:
        call = f"fit(..., checkpoint={str(folder)!r}, resume=True)"
        raise ConfigError(f"{folder} was begun in Python; resume it there: {call}")
    return FitCommand.from_json(stored, name=str(folder / RUN))
