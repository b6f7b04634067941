"""Write and read `run.json`: what a run trains, how far it is, and how to resume it. No torch here."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from zoo.errors import BusyError, WeightsError
from zoo.files.atomic import acquire_lock, replace_file
from zoo.files.checked_json import dump_with_checksum, parse_json, verify_checksum
from zoo.files.paths import read_bytes
from zoo.saving.folder import CHECKPOINTS, RUN

FORMAT = 1
MAX_RECORD_BYTES = 1 << 20


def is_main_process() -> bool:
    """Return whether this process writes files and shows progress; it is known before the process group exists."""
    return os.environ.get("RANK", "0") == "0"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of `run.json`.

    Args:
        model: Name of the model.
        state: `running`, `interrupted`, `failed` or `done`.
        epoch: Finished epochs.
        epochs: Epochs at the end of the run.
        step: Finished batches of the current epoch.
        newest: Name of the newest checkpoint.
        best: Name of the checkpoint of the best epoch.
        monitor: The column of the history that decides which epoch is best.
        value: Its value at the best epoch.
        problem: Why the run ended early, or empty.
        host: Host name of the machine that trained last.
        process: Id of its process.
        begun: When the run began, in seconds since 1970.
        updated: When `run.json` was written, in seconds since 1970.
        command: The options of the `zoo fit` that began the run, or None if it was begun in Python.
    """

    model: str
    state: str = "running"
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    newest: str = ""
    best: str = ""
    monitor: str = ""
    value: float | None = None
    problem: str = ""
    host: str = ""
    process: int = 0
    begun: float = 0.0
    updated: float = 0.0
    command: Mapping[str, Any] | None = None

    def replace(self, **changes: Any) -> RunRecord:
        """Return a copy with some fields changed, stamped with this host, process and time."""
        now = time.time()
        stamp: dict[str, Any] = {"host": socket.gethostname(), "process": os.getpid(), "updated": now}
        stamp["begun"] = self.begun or now
        return replace(self, **stamp | changes)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `run.json` atomically.

    Raises:
        OSError: The file cannot be written.
    """
    replace_file(folder / RUN, dump_with_checksum({"format": FORMAT, **asdict(record)}).encode(), durable=False)


def read_record(folder: Path) -> RunRecord:
    """Read `run.json`.

    Raises:
        WeightsError: There is no such file, or it is damaged.
    """
    path = folder / RUN
    data = read_bytes(path, limit=MAX_RECORD_BYTES)
    values = parse_json(data, name=str(path))
    if values.pop("format", None) != FORMAT:
        raise WeightsError(f"{path} is not a run of this zoo")
    verify_checksum(data.decode(), values.pop("seal", None), name=str(path))
    known = {field.name for field in fields(RunRecord)}
    try:
        return RunRecord(**{name: value for name, value in values.items() if name in known})
    except TypeError as error:
        raise WeightsError(f"{path} is not a run of this zoo: {error}") from error


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs in `folder`, up to two levels below it, sorted by name at each level."""
    for pattern in (RUN, f"*/{RUN}", f"*/*/{RUN}"):
        yield from sorted(path.parent for path in folder.glob(pattern))


def get_current_state(folder: Path, record: RunRecord) -> str:
    """Return a run's state: `killed` if it says `running` and no process of this machine has its lock."""
    if record.state != "running" or record.host != socket.gethostname():
        return record.state
    try:
        with acquire_lock(folder / CHECKPOINTS, timeout=0):
            return "killed"
    except BusyError:
        return "running"
    except OSError:
        return record.state
