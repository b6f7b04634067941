"""Send the history of a training to TensorBoard, trackio or another tracker that accelerate knows, by name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, did_you_mean, join_names
from zoo.training.callbacks import Callback, Training
from zoo.training.checkpoint.run_file import is_main_process


class TrackerCallback:
    """Log each row of the history to one tracker.

    If the tracker fails, it is not called again, and training goes on.

    Args:
        name: Name of the tracker.
        project: Name under which the tracker files the run.
        folder: Folder for trackers that write files.
        config: The settings of the run.
    """

    def __init__(self, name: str, *, project: str, folder: Path, config: dict[str, Any]) -> None:
        self._name, self._project, self._folder, self._config = name, project, folder, config
        self._tracker: Any = None
        self._has_failed = False

    def on_step(self, training: Training) -> None:
        """Do nothing."""

    def on_epoch(self, training: Training) -> None:
        """Log the epoch's row; start the tracker at the first row, when the process group exists."""
        self._call_safely(lambda: self._log(training))

    def _log(self, training: Training) -> None:
        if self._tracker is None:
            self._tracker = _start_tracker(self._name, self._project, self._folder)
            self._tracker.store_init_configuration(self._config)
        values = {name: value for name, value in training.row.items() if name != "epoch"}
        self._tracker.log(values, step=training.epoch)

    def close(self) -> None:
        """Finish the run in the tracker."""
        if self._tracker is not None:
            self._call_safely(self._tracker.finish)

    def _call_safely(self, function: Callable[[], object]) -> None:
        if self._has_failed:
            return
        try:
            with redirect_stdout(sys.stderr):  # standard output is for zoo's results
                function()
        except Exception as error:  # another library's service must not end a training
            self._has_failed = True
            message = f"{self._name} failed and is not called again: {type(error).__name__}: {error}"
            warnings.warn(f"{message}; zoo itself keeps the history", UserWarning, stacklevel=4)


@contextmanager
def tracker_callbacks(
    names: str | Sequence[str], *, project: str, folder: str | Path | None, config: dict[str, Any]
) -> Iterator[list[Callback]]:
    """Yield a callback for each tracker in the first process, and none in the others.

    Args:
        names: Names of trackers.
        project: Name under which trackers file the run.
        folder: Folder for trackers that write files; `runs` by default.
        config: The settings of the run; values other than numbers and text are logged as text.

    Raises:
        ConfigError: accelerate does not know a tracker, or its package is not installed.
    """
    if not isinstance(names, str | Sequence):
        raise ConfigError(f"trackers is the name of a tracker, such as 'tensorboard', or several, not {names!r}")
    tracker_names = (names,) if isinstance(names, str) else tuple(names)
    for name in tracker_names:
        _check_tracker(name)
    plain = {key: value if isinstance(value, int | float | str | bool) else str(value) for key, value in config.items()}
    log_folder = Path(folder or "runs")
    callbacks = (
        [TrackerCallback(name, project=project, folder=log_folder, config=plain) for name in tracker_names]
        if is_main_process()
        else []
    )
    try:
        yield list(callbacks)
    finally:
        for each in callbacks:
            each.close()


def _check_tracker(name: str) -> None:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    known = [str(each) for each in LOGGER_TYPE_TO_CLASS]
    if name not in known:
        raise ConfigError(f"no tracker {name!r}{did_you_mean(str(name), known)}; accelerate knows {join_names(known)}")
    if name not in [str(each) for each in get_available_trackers()]:
        raise ConfigError(f"{name} is not installed; pip install {name}")


def _start_tracker(name: str, project: str, folder: Path) -> Any:
    """Create and start one of accelerate's trackers."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    tracker_class = LOGGER_TYPE_TO_CLASS[name]
    tracker = (
        tracker_class(project, logging_dir=folder)
        if tracker_class.requires_logging_directory
        else tracker_class(project)
    )
    if hasattr(tracker, "start"):
        tracker.start()
    return tracker
