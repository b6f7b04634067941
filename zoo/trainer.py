"""The loop: it knows the recipe, the task and the accelerator, no model and no data format."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, broadcast
from torch.nn import Module

from zoo.arithmetic import autocast, flushed_denormals
from zoo.callbacks import Average, Best, Callback, TimeLimit, Training
from zoo.captured import Captured, recorder_for
from zoo.data import Batch, Loader, Stream
from zoo.errors import ConfigError, TrainingError, listed
from zoo.fused import answering
from zoo.guard import Guard
from zoo.history import History, is_lower_better
from zoo.optim import Stepper
from zoo.recipe import Recipe
from zoo.run.group import PATIENCE, Group, check_kind, losing_nobody
from zoo.run.keeper import Keeper
from zoo.run.state import TrainState
from zoo.running import running
from zoo.tasks import Loss, Tally, Task


class Trainer:
    """Trains the players of a task by a recipe.

    Args:
        recipe: How to train.
        device: Where; with several processes accelerate's own device is used.
        callbacks: More to call after each step and epoch.
        on_nan: What to do about a loss that is not finite; see `zoo.guard`.
    """

    def __init__(
        self, recipe: Recipe, *, device: torch.device, callbacks: Sequence[Callback] = (), on_nan: str = "stop"
    ) -> None:
        is_group_on_cpu = device.type == "cpu" and int(os.environ.get("WORLD_SIZE", "1")) > 1
        patience = InitProcessGroupKwargs(timeout=timedelta(seconds=PATIENCE))
        self._engine = Accelerator(
            mixed_precision="no", device_placement=False, cpu=is_group_on_cpu, kwargs_handlers=[patience]
        )
        check_kind(self._engine.distributed_type.value)
        self.device = self._engine.device if self._engine.num_processes > 1 else device
        if recipe.precision == "fp16" and self.device.type == "cpu":
            raise ConfigError("precision='fp16' needs a GPU; on the CPU use 'bf16' or 'fp32'")
        self._recipe = recipe
        self.group = Group(self._engine)
        self._guard = Guard(on_nan, self.device)
        is_steady = on_nan != "skip"  # a step that may be left out is no recording's
        self._recorder = recorder_for(recipe, self.device, self.group.size) if is_steady else None
        for callback in callbacks:
            if not all(callable(getattr(callback, name, None)) for name in ("on_step", "on_epoch")):
                raise ConfigError(f"a callback has the methods on_step and on_epoch; {callback!r} has not")
        self._callbacks = list(callbacks)

    @property
    def place(self) -> dict[str, Any]:
        """Where it trains: the numbers depend on it in their last bits."""
        return {"processes": self.group.size, "device": self.device.type, "threads": torch.get_num_threads()}

    def fit(
        self,
        net: Module,
        task: Task,
        train: Loader | Stream,
        validation: Loader | Stream | None,
        history: History,
        keeper: Keeper | None = None,
    ) -> None:
        """Train `net` in place for `recipe.epochs` more epochs, adding a row an epoch to `history`.

        Args:
            net: What is trained.
            task: What it learns.
            train: Where batches come from.
            validation: What is scored after each epoch, or None.
            history: Where rows are added.
            keeper: What writes checkpoints, and goes on from one.

        Raises:
            TrainingError: A loss is not finite.
        """
        with flushed_denormals(), losing_nobody(self.group):
            self._fit(net, task, train, validation, history, keeper)

    def _fit(
        self,
        net: Module,
        task: Task,
        train: Loader | Stream,
        validation: Loader | Stream | None,
        history: History,
        keeper: Keeper | None,
    ) -> None:
        net.to(self.device)
        self.group.check_same("seed of the order", getattr(train, "seed", 0))
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
            state = TrainState(
                training=training,
                net=net,
                steppers={name: self._stepper(player, training.steps) for name, player in nets.items()},
                callbacks=[*watchers, *self._callbacks],
                history=history,
                group=self.group,
                batch=train.batch_size * self.group.size if isinstance(train, Loader) else 0,
                earlier=len(history),
            )
            self._watch(state, train, keeper)
            self._epochs(state, task, train, validation, keeper)
        if best:
            best.restore(players)
        elif average:
            for name, averaged in average.nets.items():
                players[name].load_state_dict(averaged.state_dict())
        self._even(net)

    def _watch(self, state: TrainState, train: Loader | Stream, keeper: Keeper | None) -> None:
        """Tell the guard what it needs to say where a loss went wrong, and the state how to be looked at."""
        self._guard.indices = lambda step: self._images(train, state, step)
        self._guard.checkpoint = keeper.newest if keeper else lambda: ""
        self._guard.agreed = lambda claim: self.group.agreed(claim)[0]
        state.check = lambda: self._guard.check(state.training, state.net)

    def _images(self, train: Loader | Stream, state: TrainState, step: int) -> str:
        if isinstance(train, Stream):
            return f"batch {step} of the loader"
        where = {"rank": self.group.rank, "world": self.group.size}
        return f"images {listed(train.indices(state.earlier + state.epoch, step - 1, **where).tolist(), 100)}"

    def _epochs(
        self,
        state: TrainState,
        task: Task,
        train: Loader | Stream,
        validation: Loader | Stream | None,
        keeper: Keeper | None,
    ) -> None:
        training, take = state.training, self._stepping(state, task, train)
        state.begin_epoch()
        if keeper:
            keeper.begin(state)
        while state.epoch < self._recipe.epochs and not training.stop:
            training.epoch = state.earlier + state.epoch + 1
            training.row = {"epoch": training.epoch}
            self._epoch(state, take, train, keeper)
            training.row |= self._means(state.sums) | self._guard.close(training)
            _check_finite(training.row, training.epoch)
            seconds = time.perf_counter() - state.started
            if validation is not None:
                training.row |= {
                    f"val_{name}": value for name, value in self.score(training.scored, task, validation).items()
                }
            training.row |= {"lr": float(next(iter(state.steppers.values())).optimizer.param_groups[0]["lr"])}
            training.row |= {
                "seconds": round(seconds, 4),
                "images_per_second": round(training.images / max(seconds, 1e-9), 1),
            }
            _observe(state.steppers, training.row, self._recipe.monitor)
            state.history.append(training.row)
            for callback in state.callbacks:
                callback.on_epoch(training)
            state.history.stopped = training.stop
            state.epoch += 1
            state.begin_epoch()
            if keeper:
                keeper.on_epoch(state)

    def _stepper(self, net: Module, steps: int) -> Stepper:
        scaler = torch.amp.GradScaler(self.device.type, enabled=self._recipe.precision == "fp16")
        is_recorded = self._recorder is not None
        return Stepper(net, self._recipe, steps=steps, engine=self._engine, scaler=scaler, is_recorded=is_recorded)

    def _epoch(
        self,
        state: TrainState,
        take: Callable[[Batch], Iterable[Loss]],
        train: Loader | Stream,
        keeper: Keeper | None,
    ) -> None:
        training = state.training
        for net in training.nets.values():
            net.train()
        for batch in self._batches(train, state.earlier + state.epoch, training.step):
            for loss in take(batch):
                _add(state.sums, loss.seen)
            training.step += 1
            training.images += batch.targets.shape[0] * self._engine.num_processes
            for callback in state.callbacks:
                callback.on_step(training)
            if keeper:
                keeper.on_step(state)
            if training.stop:
                break
        for stepper in state.steppers.values():
            stepper.flush()

    def _stepping(self, state: TrainState, task: Task, train: Loader | Stream) -> Callable[[Batch], Iterable[Loss]]:
        """Return what takes a step on a batch, player by player, and gives the losses that were stepped on."""
        nets, recorder = state.training.nets, self._recorder
        if recorder is None:
            return lambda batch: self._one_by_one(
                state, self._losses(task, nets, batch), self._share(train, state.training.step, batch)
            )
        captured = Captured(lambda batch: self._losses(task, nets, batch), state.steppers, nets, recorder)
        return lambda batch: [
            loss for loss in captured(batch) if self._guard.passes(state.training, loss.player, loss.value)
        ]

    def _one_by_one(self, state: TrainState, losses: Iterator[Loss], share: float) -> Iterator[Loss]:
        for loss in losses:
            if self._guard.passes(state.training, loss.player, loss.value):
                state.steppers[loss.player].step(loss.value * share if share != 1 else loss.value, loss.gradient)
                yield loss
            else:
                state.steppers[loss.player].skip()

    def _share(self, train: Loader | Stream, step: int, batch: Batch) -> float:
        """Return what makes the mean of the processes' losses that of their images, where the last have fewer."""
        if self.group.size == 1 or isinstance(train, Stream):
            return 1.0
        return len(batch.targets) * self.group.size / train.images_at(step, self.group.size)

    def _batches(self, loader: Loader | Stream, epoch: int, start: int = 0) -> Iterator[Batch]:
        place = {"start": start} if start else {}
        where = {"rank": self._engine.process_index, "world": self._engine.num_processes, **place}
        for batch in loader.epoch(epoch, **where):
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
            self._even(net)
        sums: dict[str, Any] = {}
        with torch.no_grad():
            asked = {name: answering(net) for name, net in nets.items()}
            for batch in self._batches(loader, 0):
                _add(sums, task.tally(asked, batch))
        for name, net in nets.items():
            net.train(modes[name])
        return self._means(sums)

    def _even(self, net: Module) -> None:
        """Take the first process's running statistics, so that all score one and the same net."""
        for buffer in net.buffers() if self.group.size > 1 else ():
            broadcast(buffer, from_process=0)

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
