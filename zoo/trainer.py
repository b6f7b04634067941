"""The loop: it knows the recipe, the task and the accelerator, no model and no data format."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch.nn import Module

from zoo.arithmetic import autocast, flushed_denormals
from zoo.callbacks import Average, Best, Callback, TimeLimit, Training
from zoo.data import Batch, Loader, Stream
from zoo.errors import ConfigError, TrainingError, listed
from zoo.fused import answering
from zoo.history import History, is_lower_better
from zoo.optim import Stepper
from zoo.recipe import Recipe
from zoo.running import running
from zoo.tasks import Loss, Tally, Task


class Trainer:
    """Trains the players of a task by a recipe.

    Args:
        recipe: How to train.
        device: Where; with several processes accelerate's own device is used.
        callbacks: More to call after each step and epoch.
    """

    def __init__(self, recipe: Recipe, *, device: torch.device, callbacks: Sequence[Callback] = ()) -> None:
        is_group_on_cpu = device.type == "cpu" and int(os.environ.get("WORLD_SIZE", "1")) > 1
        self._engine = Accelerator(mixed_precision="no", device_placement=False, cpu=is_group_on_cpu)
        self.device = self._engine.device if self._engine.num_processes > 1 else device
        if recipe.precision == "fp16" and self.device.type == "cpu":
            raise ConfigError("precision='fp16' needs a GPU; on the CPU use 'bf16' or 'fp32'")
        self._recipe = recipe
        for callback in callbacks:
            if not all(callable(getattr(callback, name, None)) for name in ("on_step", "on_epoch")):
                raise ConfigError(f"a callback has the methods on_step and on_epoch; {callback!r} has not")
        self._callbacks = list(callbacks)

    def fit(
        self, net: Module, task: Task, train: Loader | Stream, validation: Loader | Stream | None, history: History
    ) -> None:
        """Train `net` in place for `recipe.epochs` more epochs, adding a row an epoch to `history`.

        Raises:
            TrainingError: The loss of an epoch is not finite.
        """
        with flushed_denormals():
            self._fit(net, task, train, validation, history)

    def _fit(
        self, net: Module, task: Task, train: Loader | Stream, validation: Loader | Stream | None, history: History
    ) -> None:
        net.to(self.device)
        players = task.players(net)
        average = Average(players, self._recipe.ema) if self._recipe.ema else None
        best = Best.wanted(self._recipe)
        limit = TimeLimit(self._recipe.time_limit) if self._recipe.time_limit else None
        watchers: list[Callback] = [each for each in (average, best, limit) if each is not None]
        with running(net, players, task, self._recipe, self._engine) as nets:
            training = Training(
                recipe=self._recipe,
                nets=nets,
                scored=average.nets if average else players,
                steps=train.steps(self._engine.num_processes),
            )
            self._epochs(training, task, train, validation, history, [*watchers, *self._callbacks])
        if best:
            best.restore(players)
        elif average:
            for name, averaged in average.nets.items():
                players[name].load_state_dict(averaged.state_dict())

    def _epochs(
        self,
        training: Training,
        task: Task,
        train: Loader | Stream,
        validation: Loader | Stream | None,
        history: History,
        callbacks: Sequence[Callback],
    ) -> None:
        steppers = {name: self._stepper(net, training.steps) for name, net in training.nets.items()}
        done = len(history)
        for epoch in range(self._recipe.epochs):
            training.epoch = done + epoch + 1
            training.row = {"epoch": training.epoch}
            started = time.perf_counter()
            sums = self._epoch(training, task, train, done + epoch, steppers, callbacks)
            training.row |= self._means(sums)
            _check_finite(training.row, training.epoch)
            seconds = time.perf_counter() - started
            if validation is not None:
                training.row |= {
                    f"val_{name}": value for name, value in self.score(training.scored, task, validation).items()
                }
            training.row |= {"lr": next(iter(steppers.values())).optimizer.param_groups[0]["lr"]}
            training.row |= {
                "seconds": round(seconds, 4),
                "images_per_second": round(training.images / max(seconds, 1e-9), 1),
            }
            _observe(steppers, training.row, self._recipe.monitor)
            history.append(training.row)
            for callback in callbacks:
                callback.on_epoch(training)
            history.stopped = training.stop
            if training.stop:
                return

    def _stepper(self, net: Module, steps: int) -> Stepper:
        scaler = torch.amp.GradScaler(self.device.type, enabled=self._recipe.precision == "fp16")
        return Stepper(net, self._recipe, steps=steps, engine=self._engine, scaler=scaler)

    def _epoch(
        self,
        training: Training,
        task: Task,
        train: Loader | Stream,
        epoch: int,
        steppers: Mapping[str, Stepper],
        callbacks: Sequence[Callback],
    ) -> dict[str, Any]:
        for net in training.nets.values():
            net.train()
        sums: dict[str, Any] = {}
        training.step = training.images = 0
        for batch in self._batches(train, epoch):
            for loss in self._losses(task, training.nets, batch):
                steppers[loss.player].step(loss.value, loss.gradient)
                _add(sums, loss.seen)
            training.step += 1
            training.images += batch.targets.shape[0] * self._engine.num_processes
            for callback in callbacks:
                callback.on_step(training)
            if training.stop:
                break
        for stepper in steppers.values():
            stepper.flush()
        return sums

    def _batches(self, loader: Loader | Stream, epoch: int) -> Iterator[Batch]:
        for batch in loader.epoch(epoch, rank=self._engine.process_index, world=self._engine.num_processes):
            yield Batch(*(tensor.to(self.device, non_blocking=True) for tensor in batch))

    def _losses(self, task: Task, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Draw the task's losses one by one; only the forward pass runs under autocast."""
        losses = task.losses(nets, batch)
        if self._recipe.precision == "fp32":
            yield from losses
            return
        while True:
            with autocast(self.device, self._recipe.precision):
                loss = next(losses, None)
            if loss is None:
                return
            yield loss

    def score(self, nets: Mapping[str, Module], task: Task, loader: Loader | Stream) -> dict[str, float]:
        """Return the means of the task's tally over a loader; nets are in eval mode meanwhile."""
        modes = {name: net.training for name, net in nets.items()}
        for net in nets.values():
            net.eval()
        sums: dict[str, Any] = {}
        with torch.no_grad():
            asked = {name: answering(net) for name, net in nets.items()}
            for batch in self._batches(loader, 0):
                _add(sums, task.tally(asked, batch))
        for name, net in nets.items():
            net.train(modes[name])
        return self._means(sums)

    def _means(self, sums: Mapping[str, Any]) -> dict[str, float]:
        """Return sum / count by name over all processes, fetched from the device once."""
        if not sums:
            return {}
        dtype = torch.float32 if self.device.type == "mps" else torch.float64
        counts = torch.tensor([num for _, num in sums.values()], dtype=dtype, device=self.device)
        totals = torch.stack([torch.stack([total.to(dtype) for total, _ in sums.values()]), counts], dim=1)
        totals = self._engine.reduce(totals, "sum")
        return {name: total / count for name, (total, count) in zip(sums, totals.tolist(), strict=True)}


def _add(sums: dict[str, Any], tally: Tally) -> None:
    for name, (total, count) in tally.items():
        before, num = sums.get(name, (0.0, 0))
        sums[name] = (before + total, num + count)


def _check_finite(row: Mapping[str, Any], epoch: int) -> None:
    for name, value in row.items():
        if isinstance(value, float) and not abs(value) < float("inf"):
            raise TrainingError(
                f"{name} became {value} in epoch {epoch}; try a lower lr, clip=1.0, warmup=1, or precision='fp32'. "
                "The model is as it was before this fit"
            )


def _observe(steppers: Mapping[str, Stepper], row: Mapping[str, Any], monitor: str) -> None:
    """Tell the schedules the monitored value, or the training loss where there is none."""
    if monitor not in row and not monitor.startswith("val_"):
        raise ConfigError(f"monitor {monitor!r} is no column of the history ({listed(row)})")
    name = monitor if monitor in row else "loss"
    value = row.get(name, 0.0) if is_lower_better(name) else -row[name]
    for stepper in steppers.values():
        stepper.observe(value)
