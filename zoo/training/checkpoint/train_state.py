"""All that training changes, taken at a step and put back: the next step is then the one that would have followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch.nn import Module

from zoo import seeding as randomness
from zoo.data import Stream
from zoo.errors import ConfigError
from zoo.history import History
from zoo.training import module_state as snapshot
from zoo.training.callbacks import Callback, Training
from zoo.training.group import Group
from zoo.training.optimizer import Stepper


@dataclass(kw_only=True)
class TrainState:
    """Everything that changes while a net is trained.

    Args:
        training: What callbacks see; its `step` and `images` are those of the running epoch.
        net: All that is trained.
        steppers: Optimizer and schedule of each player.
        callbacks: What watches; those with `state_dict` and `load_state_dict` are kept.
        history: One row an epoch.
        group: The processes that train together.
        batch: Images of a full batch of all processes; 0 for somebody else's loader, which only begins at its start.
        stream: Somebody else's loader, or None.
        epoch: Epochs of this training that are done.
        sums: Sums and counts of the running epoch by name.
        started: When the running epoch began, on the clock of `time.perf_counter`.
        check: Raises if a loss or a weight is not finite: such a state is not kept.
    """

    training: Training
    net: Module
    steppers: Mapping[str, Stepper]
    callbacks: Sequence[Callback]
    history: History
    group: Group
    batch: int = 0
    stream: Stream | None = None
    epoch: int = 0
    sums: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    check: Callable[[], None] = lambda: None

    def begin_epoch(self) -> None:
        """Forget the epoch that is done."""
        self.sums, self.training.step, self.training.images, self.training.skipped = {}, 0, 0, 0
        self.started = time.perf_counter()

    @property
    def earlier(self) -> int:
        """Epochs in the history from before this training."""
        return self.training.earlier

    @property
    def taken(self) -> int:
        """Batches since training began."""
        return self.epoch * self.training.steps + self.training.step


def taken(state: TrainState) -> dict[str, Any]:
    """Return all of it; every process calls this, and each gets what all of them hold."""
    loader = state.stream.state_dict() if state.stream else {}
    own = {"random": randomness.states(), "sums": state.sums, "loader": loader}
    return {
        "net": snapshot.tensors_of(state.net),
        "steppers": {name: stepper.state_dict() for name, stepper in state.steppers.items()},
        "callbacks": [[type(each).__name__, each.state_dict()] for each in _stateful(state.callbacks)],
        "history": list(state.history),
        "stop": state.training.stop,
        "epoch": state.epoch,
        "step": state.training.step,
        "batch": state.batch,
        "images": state.training.images,
        "skipped": state.training.skipped,
        "seconds": time.perf_counter() - state.started if state.training.step else 0.0,
        "processes": state.group.gathered(own),
    }


def put_back(state: TrainState, kept: Mapping[str, Any]) -> None:
    """Bring training to where `taken` saw it.

    Raises:
        WeightsError, ConfigError: It was another net, other optimizers or other callbacks.
    """
    snapshot.put_back(state.net, kept["net"])
    if kept["steppers"].keys() != state.steppers.keys():
        raise ConfigError(f"the checkpoint trains {', '.join(kept['steppers'])}, this task {', '.join(state.steppers)}")
    for name, stepper in state.steppers.items():
        stepper.load_state_dict(kept["steppers"][name])
    _put_back_callbacks(_stateful(state.callbacks), kept["callbacks"])
    for row in kept["history"][len(state.history) :]:
        state.history.append(row)
    state.training.stop = state.history.stopped = kept["stop"]
    state.training.step, state.training.images = _position(kept, state)
    state.training.skipped = kept["skipped"]
    state.epoch, state.started = kept["epoch"], time.perf_counter() - kept["seconds"]
    _put_back_own(state, kept["processes"])


def _put_back_own(state: TrainState, processes: Sequence[Mapping[str, Any]]) -> None:
    """Take this process's sums and random states; a process that was not there begins as its neighbour did."""
    own = processes[state.group.rank % len(processes)]
    device = next(state.net.parameters()).device
    if len(processes) == state.group.size:
        state.sums = {name: (total.to(device), num) for name, (total, num) in own["sums"].items()}
    else:
        whole = _joined([each["sums"] for each in processes])
        share = 1 if state.group.rank == 0 else 0
        state.sums = {name: (total.to(device) * share, num * share) for name, (total, num) in whole.items()}
    randomness.set_states(own["random"])
    if state.stream:
        state.stream.load_state_dict(own["loader"])


def _joined(sums: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: tuple(sum(each[name][place] for each in sums) for place in (0, 1)) for name in sums[0]}


def _position(kept: Mapping[str, Any], state: TrainState) -> tuple[int, int]:
    """Return step and images of the running epoch, in batches of as many processes as there are now.

    Raises:
        ConfigError: The images that are done are no whole number of batches now.
    """
    if kept["batch"] == state.batch or kept["step"] == 0:
        return kept["step"], kept["images"]
    step, rest = divmod(kept["step"] * kept["batch"], state.batch)
    if rest:
        raise ConfigError(
            f"the checkpoint is {kept['step']} batches of {kept['batch']} images into an epoch, which is no whole "
            f"number of batches of {state.batch}; keep batch_size times processes as it was"
        )
    return min(step, state.training.steps), kept["images"]


def _stateful(callbacks: Sequence[Callback]) -> list[Any]:
    return [each for each in callbacks if hasattr(each, "state_dict") and hasattr(each, "load_state_dict")]


def _put_back_callbacks(callbacks: Sequence[Any], kept: Sequence[Sequence[Any]]) -> None:
    names, found = [name for name, _ in kept], [type(each).__name__ for each in callbacks]
    if names != found:
        raise ConfigError(
            f"the checkpoint was written with the callbacks {', '.join(names) or 'none'}, and there are "
            f"{', '.join(found) or 'none'} now; give fit the same"
        )
    for callback, (_, state) in zip(callbacks, kept, strict=True):
        callback.load_state_dict(state)
