"""Run the epochs and steps of one training.

The loop knows the task, the loaders and the state that training changes. It knows no model and no data format.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from zoo.data import Batch, ExternalLoader, Loader
from zoo.tasks import Task
from zoo.training.checkpoint.checkpointer import Checkpointer
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.distributed import SYNC_EVERY, ProcessGroup
from zoo.training.meters import add_tally, compute_means, score_batches
from zoo.training.nan_guard import NonFiniteGuard
from zoo.training.schedule import get_monitored_value
from zoo.training.step import TrainStep


class TrainLoop:
    """Train until the last epoch, or until a callback sets `training.stop`.

    Args:
        state: Everything that training changes.
        task: What is learned.
        train: The loader of training batches.
        validation: The loader of the images that are scored after each epoch, or None.
        step: Takes one step.
        guard: Checks losses, weights and means.
        checkpointer: Writes checkpoints and resumes from one, or None.
    """

    def __init__(
        self,
        state: TrainState,
        task: Task,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        *,
        step: TrainStep,
        guard: NonFiniteGuard,
        checkpointer: Checkpointer | None,
    ) -> None:
        self._state, self._training, self._group = state, state.training, state.group
        self._task, self._train, self._validation = task, train, validation
        self._step, self._guard, self._checkpointer = step, guard, checkpointer

    def run(self) -> None:
        """Run all epochs.

        Raises:
            TrainingError: A loss, a weight or a mean is not finite.
        """
        state, training = self._state, self._training
        state.begin_epoch()
        if self._checkpointer:
            self._checkpointer.begin(state)
        while state.epoch < training.recipe.epochs and not training.stop:
            training.epoch = state.earlier + state.epoch + 1
            training.row = {"epoch": training.epoch}
            self._run_epoch()
            training.row |= self._make_row()
            self._update_plateaus()
            state.history.append(training.row)
            for callback in state.callbacks:
                callback.on_epoch(training)
            self._check_stop(due=True)
            state.history.stopped = training.stop
            state.epoch += 1
            state.begin_epoch()
            if self._checkpointer:
                self._checkpointer.on_epoch(state)

    def _run_epoch(self) -> None:
        state, training = self._state, self._training
        for net in training.nets.values():
            net.train()
        for batch in iter_batches(self._train, state.earlier + state.epoch, self._group, start=training.step):
            for loss in self._step(batch):
                add_tally(state.sums, loss.tally)
            training.images += self._global_batch_size(batch)
            training.step += 1
            for callback in state.callbacks:
                callback.on_step(training)
            is_stopped = self._check_stop(due=training.step % SYNC_EVERY == 0)
            if self._checkpointer:
                self._checkpointer.on_step(state)
            if is_stopped:
                break
        for optimizer in state.optimizers.values():
            optimizer.flush()

    def _global_batch_size(self, batch: Batch) -> int:
        """Return the images of a step in all processes; a loader of zoo knows how many the others have."""
        num_processes = self._group.world_size
        num_images = self._train.global_batch_size(self._training.step, num_processes) if num_processes > 1 else 0
        return num_images or batch.targets.shape[0] * num_processes

    def _make_row(self) -> dict[str, Any]:
        """Return the columns of the history for the epoch that has ended.

        Raises:
            TrainingError: A mean is not finite.
        """
        state, training = self._state, self._training
        row = compute_means(state.sums, self._group) | self._guard.end_epoch(training)
        self._guard.check_row(row, training.epoch)
        seconds = time.perf_counter() - state.epoch_started
        if self._validation is not None:
            batches = iter_batches(self._validation, 0, self._group)
            scores = score_batches(training.scored, self._task, batches, self._group)
            row |= {f"val_{name}": value for name, value in scores.items()}
        row["lr"] = float(next(iter(state.optimizers.values())).optimizer.param_groups[0]["lr"])
        speed = round(training.images / max(seconds, 1e-9), 1)
        return row | {"seconds": round(seconds, 4), "images_per_second": speed}

    def _update_plateaus(self) -> None:
        value = get_monitored_value(self._training.row, self._training.recipe.monitor)
        for optimizer in self._state.optimizers.values():
            optimizer.schedule.update_plateau(value)

    def _check_stop(self, *, due: bool) -> bool:
        """Return whether training ends here.

        Several processes have different clocks; they agree on the answer when it is due.
        """
        training = self._training
        if self._group.world_size > 1 and not due:
            return False
        reason = self._group.first_problem(training.stop, training.step)
        training.stop = training.stop or reason
        return bool(training.stop)


def iter_batches(
    loader: Loader | ExternalLoader, epoch: int, group: ProcessGroup, *, start: int = 0
) -> Iterator[Batch]:
    """Yield this process's batches of an epoch on the device, from batch `start` on."""
    options: dict[str, Any] = {"rank": group.rank, "world_size": group.world_size}
    if start:
        options["start"] = start
    if isinstance(loader, ExternalLoader):
        options["on_first_batch"] = lambda labels: _check_same_batch(labels, group)
    for batch in loader.iter_epoch(epoch, **options):
        yield Batch(*(tensor.to(group.device, non_blocking=True) for tensor in batch))


def _check_same_batch(labels: Tensor, group: ProcessGroup) -> None:
    """Raise unless another library's loader gives all processes the same batches, of which each takes its part."""
    advice = "zoo cannot seed its order: give it a DistributedSampler, or give fit the data set itself"
    group.check_same("first batch of the loader", zlib.crc32(labels.cpu().numpy().tobytes()), advice)
