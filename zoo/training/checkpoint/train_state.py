"""All that training changes, taken at a step and put back: the next step is then the one that would have followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch.nn import Module

from zoo import seeding as randomness
from zoo.data import ExternalLoader
from zoo.errors import ConfigError
from zoo.history import History
from zoo.training import module_state as snapshot
from zoo.training.callbacks import Callback, Training
from zoo.training.distributed import ProcessGroup
from zoo.training.optimizer import PlayerOptimizer


@dataclass(kw_only=True)
class TrainState:
    """Everything that changes while a net is trained.

    Args:
        training: What callbacks see; its `step` and `images` are those of the running epoch.
        net: All that is trained.
        optimizers: Optimizer and schedule of each player.
        callbacks: What watches; those with `state_dict` and `load_state_dict` are kept.
        history: One row an epoch.
        group: The processes that train together.
        global_batch_size: Images of a full batch of all processes; 0 for somebody else's loader, which only begins at its start.
        external_loader: Somebody else's loader, or None.
        epoch: Epochs of this training that are done.
        sums: Sums and counts of the running epoch by name.
        epoch_started: When the running epoch began, on the clock of `time.perf_counter`.
        check_finite: Raises if a loss or a weight is not finite: such a state is not kept.
    """

    training: Training
    net: Module
    optimizers: Mapping[str, PlayerOptimizer]
    callbacks: Sequence[Callback]
    history: History
    group: ProcessGroup
    global_batch_size: int = 0
    external_loader: ExternalLoader | None = None
    epoch: int = 0
    sums: dict[str, Any] = field(default_factory=dict)
    epoch_started: float = 0.0
    check_finite: Callable[[], None] = lambda: None

    def begin_epoch(self) -> None:
        """Forget the epoch that is done."""
        self.sums, self.training.step, self.training.images, self.training.skipped = {}, 0, 0, 0
        self.epoch_started = time.perf_counter()

    @property
    def earlier(self) -> int:
        """Epochs in the history from before this training."""
        return self.training.earlier

    @property
    def total_steps(self) -> int:
        """Batches since training began."""
        return self.epoch * self.training.steps + self.training.step


def capture(state: TrainState) -> dict[str, Any]:
    """Return all of it; every process calls this, and each gets what all of them hold."""
    loader = state.external_loader.state_dict() if state.external_loader else {}
    own = {"random": randomness.get_rng_states(), "sums": state.sums, "loader": loader}
    return {
        "net": snapshot.get_tensors(state.net),
        "steppers": {name: stepper.state_dict() for name, stepper in state.optimizers.items()},
        "callbacks": [[type(each).__name__, each.state_dict()] for each in _select_stateful(state.callbacks)],
        "history": list(state.history),
        "stop": state.training.stop,
        "epoch": state.epoch,
        "step": state.training.step,
        "batch": state.global_batch_size,
        "images": state.training.images,
        "skipped": state.training.skipped,
        "seconds": time.perf_counter() - state.epoch_started if state.training.step else 0.0,
        "processes": state.group.gather_states(own),
    }


def restore(state: TrainState, saved: Mapping[str, Any]) -> None:
    """Bring training to where `taken` saw it.

    Raises:
        WeightsError, ConfigError: It was another net, other optimizers or other callbacks.
    """
    snapshot.copy_into(state.net, saved["net"])
    if saved["steppers"].keys() != state.optimizers.keys():
        raise ConfigError(
            f"the checkpoint trains {', '.join(saved['steppers'])}, this task {', '.join(state.optimizers)}"
        )
    for name, stepper in state.optimizers.items():
        stepper.load_state_dict(saved["steppers"][name])
    _restore_callbacks(_select_stateful(state.callbacks), saved["callbacks"])
    for row in saved["history"][len(state.history) :]:
        state.history.append(row)
    state.training.stop = state.history.stopped = saved["stop"]
    state.training.step, state.training.images = _convert_position(saved, state)
    state.training.skipped = saved["skipped"]
    state.epoch, state.epoch_started = saved["epoch"], time.perf_counter() - saved["seconds"]
    _restore_process(state, saved["processes"])


def _restore_process(state: TrainState, processes: Sequence[Mapping[str, Any]]) -> None:
    """Take this process's sums and random states; a process that was not there begins as its neighbour did."""
    own = processes[state.group.rank % len(processes)]
    device = next(state.net.parameters()).device
    if len(processes) == state.group.world_size:
        state.sums = {name: (total.to(device), num) for name, (total, num) in own["sums"].items()}
    else:
        whole = _merge_sums([each["sums"] for each in processes])
        share = 1 if state.group.rank == 0 else 0
        state.sums = {name: (total.to(device) * share, num * share) for name, (total, num) in whole.items()}
    randomness.set_rng_states(own["random"])
    if state.external_loader:
        state.external_loader.load_state_dict(own["loader"])


def _merge_sums(sums: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: tuple(sum(each[name][place] for each in sums) for place in (0, 1)) for name in sums[0]}


def _convert_position(saved: Mapping[str, Any], state: TrainState) -> tuple[int, int]:
    """Return step and images of the running epoch, in batches of as many processes as there are now.

    Raises:
        ConfigError: The images that are done are no whole number of batches now.
    """
    if saved["batch"] == state.global_batch_size or saved["step"] == 0:
        return saved["step"], saved["images"]
    step, rest = divmod(saved["step"] * saved["batch"], state.global_batch_size)
    if rest:
        raise ConfigError(
            f"the checkpoint is {saved['step']} batches of {saved['batch']} images into an epoch, which is no whole "
            f"number of batches of {state.global_batch_size}; keep batch_size times processes as it was"
        )
    return min(step, state.training.steps), saved["images"]


def _select_stateful(callbacks: Sequence[Callback]) -> list[Any]:
    return [each for each in callbacks if hasattr(each, "state_dict") and hasattr(each, "load_state_dict")]


def _restore_callbacks(callbacks: Sequence[Any], saved: Sequence[Sequence[Any]]) -> None:
    names, found = [name for name, _ in saved], [type(each).__name__ for each in callbacks]
    if names != found:
        raise ConfigError(
            f"the checkpoint was written with the callbacks {', '.join(names) or 'none'}, and there are "
            f"{', '.join(found) or 'none'} now; give fit the same"
        )
    for callback, (_, state) in zip(callbacks, saved, strict=True):
        callback.load_state_dict(state)
