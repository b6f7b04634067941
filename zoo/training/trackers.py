"""Send the history of a training to TensorBoard, trackio or another tracker that accelerate knows, by name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, did_you_mean, join_names
from zoo.training.callbacks import Callback, Training
from zoo.training.checkpoint.run_file import is_main_process


class TrackerCallback:
    """Logs each row of the history to one tracker; a tracker that fails is left alone, and training goes on.

    Args:
        name: Name of the tracker.
        project: What the run is filed under.
        folder: Where trackers that write files do.
        config: What the run was begun with.
    """

    def __init__(self, name: str, *, project: str, folder: Path, config: dict[str, Any]) -> None:
        self._name, self._project, self._folder, self._config = name, project, folder, config
        self._tracker: Any = None
        self._failed = False

    def on_step(self, training: Training) -> None:
        """Nothing to do."""

    def on_epoch(self, training: Training) -> None:
        """Log the epoch's row; the tracker is begun at the first one, when processes have met."""
        self._call_safely(lambda: self._log(training))

    def _log(self, training: Training) -> None:
        if self._tracker is None:
            self._tracker = _start_tracker(self._name, self._project, self._folder)
            self._tracker.store_init_configuration(self._config)
        values = {name: value for name, value in training.row.items() if name != "epoch"}
        self._tracker.log(values, step=training.epoch)

    def close(self) -> None:
        """End the run in the tracker."""
        if self._tracker is not None:
            self._call_safely(self._tracker.finish)

    def _call_safely(self, function: Any) -> None:
        if self._failed:
            return
        try:
            with redirect_stdout(sys.stderr):  # what a tracker says is no result of ours
                function()
        except Exception as error:  # a stranger's service: what is trained is worth more than its curve
            self._failed = True
            told = f"{self._name} failed and is left alone: {type(error).__name__}: {error}"
            warnings.warn(f"{told}; the history is kept by zoo all the same", UserWarning, stacklevel=4)


@contextmanager
def tracker_callbacks(
    names: str | Sequence[str], *, project: str, folder: str | Path | None, config: dict[str, Any]
) -> Iterator[list[Callback]]:
    """Yield a callback for each tracker; only the first process has any.

    Args:
        names: Trackers by name.
        project: What the run is filed under.
        folder: Where trackers that write files do; `runs` when left out.
        config: What the run was begun with; what is no number or text is told as text.

    Raises:
        ConfigError: accelerate knows no such tracker, or its package is not installed.
    """
    if not isinstance(names, str | Sequence):
        raise ConfigError(f"trackers is the name of a tracker, such as 'tensorboard', or several, not {names!r}")
    wanted = (names,) if isinstance(names, str) else tuple(names)
    for name in wanted:
        _check_tracker(name)
    plain = {key: value if isinstance(value, int | float | str | bool) else str(value) for key, value in config.items()}
    place = Path(folder or "runs")
    made = (
        [TrackerCallback(name, project=project, folder=place, config=plain) for name in wanted]
        if is_main_process()
        else []
    )
    try:
        yield list(made)
    finally:
        for each in made:
            each.close()


def _check_tracker(name: str) -> None:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    known = [str(each) for each in LOGGER_TYPE_TO_CLASS]
    if name not in known:
        raise ConfigError(f"no tracker {name!r}{did_you_mean(str(name), known)}; accelerate knows {join_names(known)}")
    if name not in [str(each) for each in get_available_trackers()]:
        raise ConfigError(f"{name} is not installed; pip install {name}")


def _start_tracker(name: str, project: str, folder: Path) -> Any:
    """Return a tracker of accelerate's, begun."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    kind = LOGGER_TYPE_TO_CLASS[name]
    tracker = kind(project, logging_dir=folder) if kind.requires_logging_directory else kind(project)
    if hasattr(tracker, "start"):
        tracker.start()
    return tracker
