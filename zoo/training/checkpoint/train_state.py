"""Capture everything that training changes at a step, and restore it so that the next step is the same.

`TrainState` holds what changes while a net is trained. `capture` returns it as plain values and tensors, which a
checkpoint stores, and `restore` sets it from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch.nn import Module

from zoo.data import ExternalLoader
from zoo.errors import ConfigError
from zoo.saving.history import History
from zoo.seeding import get_rng_states, set_rng_states
from zoo.training.callbacks import Callback, Training
from zoo.training.distributed import ProcessGroup
from zoo.training.module_state import copy_into, get_tensors
from zoo.training.optimizer import PlayerOptimizer


@dataclass(kw_only=True)
class TrainState:
    """Everything that changes while a net is trained.

    Args:
        training: What callbacks see; its `step` and `images` count the current epoch.
        net: The module that is trained, with all players.
        optimizers: The optimizer of each player.
        callbacks: All callbacks; those with `state_dict` and `load_state_dict` are stored in checkpoints.
        history: One row per epoch.
        group: The processes that train together.
        global_batch_size: Images of a full batch over all processes; 0 with another library's loader, which can only
            resume at an epoch.
        external_loader: The loader of another library, or None.
        epoch: Finished epochs of this training.
        sums: Sums and counts of the current epoch by name.
        epoch_started: When the current epoch began, by `time.perf_counter`.
        check_finite: Raises if a loss or a weight is not finite; such a state is not stored.
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
        """Reset the counters of the epoch."""
        self.sums, self.training.step, self.training.images, self.training.skipped = {}, 0, 0, 0
        self.epoch_started = time.perf_counter()

    @property
    def earlier(self) -> int:
        """Epochs in the history before this training."""
        return self.training.earlier

    @property
    def total_steps(self) -> int:
        """Batches since training began."""
        return self.epoch * self.training.steps + self.training.step


def capture(state: TrainState) -> dict[str, Any]:
    """Return the state as plain values and tensors; every process must call this, and each gets the states of all."""
    loader = state.external_loader.state_dict() if state.external_loader else {}
    process_state = {"random": get_rng_states(), "sums": state.sums, "loader": loader}
    return {
        "net": get_tensors(state.net),
        "steppers": {name: optimizer.state_dict() for name, optimizer in state.optimizers.items()},
        "callbacks": [[type(each).__name__, each.state_dict()] for each in _select_stateful(state.callbacks)],
        "history": list(state.history),
        "stop": state.training.stop,
        "epoch": state.epoch,
        "step": state.training.step,
        "batch": state.global_batch_size,
        "images": state.training.images,
        "skipped": state.training.skipped,
        "seconds": time.perf_counter() - state.epoch_started if state.training.step else 0.0,
        "processes": state.group.gather_states(process_state),
    }


def restore(state: TrainState, saved: Mapping[str, Any]) -> None:
    """Restore what `capture` returned.

    Raises:
        WeightsError, ConfigError: The checkpoint is of another net, other optimizers or other callbacks.
    """
    copy_into(state.net, saved["net"])
    if saved["steppers"].keys() != state.optimizers.keys():
        raise ConfigError(
            f"the checkpoint trains {', '.join(saved['steppers'])}, this task {', '.join(state.optimizers)}"
        )
    for name, optimizer in state.optimizers.items():
        optimizer.load_state_dict(saved["steppers"][name])
    _restore_callbacks(_select_stateful(state.callbacks), saved["callbacks"])
    for row in saved["history"][len(state.history) :]:
        state.history.append(row)
    state.training.stop = state.history.stopped = saved["stop"]
    state.training.step, state.training.images = _convert_position(saved, state)
    state.training.skipped = saved["skipped"]
    state.epoch, state.epoch_started = saved["epoch"], time.perf_counter() - saved["seconds"]
    _restore_process(state, saved["processes"])


def _restore_process(state: TrainState, processes: Sequence[Mapping[str, Any]]) -> None:
    """Restore sums, random states and the external loader of this process.

    If there are more processes now than in the checkpoint, the new ones take the states of existing ones in order.
    If the number differs, the first process takes the sums of all.
    """
    process_state = processes[state.group.rank % len(processes)]
    device = next(state.net.parameters()).device
    if len(processes) == state.group.world_size:
        state.sums = {name: (total.to(device), num) for name, (total, num) in process_state["sums"].items()}
    else:
        all_sums = _merge_sums([each["sums"] for each in processes])
        factor = 1 if state.group.rank == 0 else 0
        state.sums = {name: (total.to(device) * factor, num * factor) for name, (total, num) in all_sums.items()}
    set_rng_states(process_state["random"])
    if state.external_loader:
        state.external_loader.load_state_dict(process_state["loader"])


def _merge_sums(sums: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: tuple(sum(each[name][index] for each in sums) for index in (0, 1)) for name in sums[0]}


def _convert_position(saved: Mapping[str, Any], state: TrainState) -> tuple[int, int]:
    """Return step and images of the current epoch, in batches of the present number of processes.

    Raises:
        ConfigError: The images that are done are not a whole number of such batches.
    """
    if saved["batch"] == state.global_batch_size or saved["step"] == 0:
        return saved["step"], saved["images"]
    step, rest = divmod(saved["step"] * saved["batch"], state.global_batch_size)
    if rest:
        raise ConfigError(
            f"the checkpoint is {saved['step']} batches of {saved['batch']} images into an epoch, which is not a whole "
            f"number of batches of {state.global_batch_size}; keep batch_size times processes as it was"
        )
    return min(step, state.training.steps), saved["images"]


def _select_stateful(callbacks: Sequence[Callback]) -> list[Any]:
    return [each for each in callbacks if hasattr(each, "state_dict") and hasattr(each, "load_state_dict")]


def _restore_callbacks(callbacks: Sequence[Any], saved: Sequence[Sequence[Any]]) -> None:
    saved_names, names = [name for name, _ in saved], [type(each).__name__ for each in callbacks]
    if saved_names != names:
        raise ConfigError(
            f"the checkpoint was written with the callbacks {', '.join(saved_names) or 'none'}, and there are "
            f"{', '.join(names) or 'none'} now; give fit the same"
        )
    for callback, (_, state) in zip(callbacks, saved, strict=True):
        callback.load_state_dict(state)
