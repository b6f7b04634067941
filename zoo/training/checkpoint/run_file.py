"""What a run says of itself in `run.json`: what it trains, how far it is, how to go on. No torch here."""

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
    """Return whether this process is the one that writes and shows, also before those that train together have met."""
    return os.environ.get("RANK", "0") == "0"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The state of a run.

    Args:
        model: Name of the model.
        state: `running`, `interrupted`, `failed` or `done`.
        epoch: Epochs that are done.
        epochs: Epochs it is to train.
        step: Batches done in the running epoch.
        newest: Name of the newest checkpoint.
        best: Name of the checkpoint of the best epoch.
        monitor: The column that says which is best.
        value: Its value there.
        problem: Why it ended early.
        host: The machine it was last trained on.
        process: Its process there.
        begun: When it was begun, in seconds since 1970.
        updated: When this was written.
        command: The words it was begun with in a shell, or None.
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
        """Return a copy with some fields changed, written by this process now."""
        now = time.time()
        told: dict[str, Any] = {"host": socket.gethostname(), "process": os.getpid(), "updated": now}
        told["begun"] = self.begun or now
        return replace(self, **told | changes)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `run.json` in one step.

    Raises:
        OSError: It cannot be written.
    """
    replace_file(folder / RUN, dump_with_checksum({"format": FORMAT, **asdict(record)}).encode(), durable=False)


def read_record(folder: Path) -> RunRecord:
    """Read `run.json`.

    Raises:
        WeightsError: There is none, or it is damaged.
    """
    path = folder / RUN
    data = read_bytes(path, limit=MAX_RECORD_BYTES)
    told = parse_json(data, name=str(path))
    if told.pop("format", None) != FORMAT:
        raise WeightsError(f"{path} is no run of this zoo")
    verify_checksum(data.decode(), told.pop("seal", None), name=str(path))
    known = {field.name for field in fields(RunRecord)}
    try:
        return RunRecord(**{name: value for name, value in told.items() if name in known})
    except TypeError as error:
        raise WeightsError(f"{path} is no run of this zoo: {error}") from error


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs at or below a place, two levels deep, by name."""
    for pattern in (RUN, f"*/{RUN}", f"*/*/{RUN}"):
        yield from sorted(path.parent for path in folder.glob(pattern))


def get_current_state(folder: Path, record: RunRecord) -> str:
    """Return a run's state; one that says `running` and that no process holds on this machine was killed."""
    if record.state != "running" or record.host != socket.gethostname():
        return record.state
    try:
        with acquire_lock(folder / CHECKPOINTS, timeout=0):
            return "killed"
    except BusyError:
        return "running"
    except OSError:
        return record.state
