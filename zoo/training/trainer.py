"""The loop: it knows the recipe, the task and the accelerator, no model and no data format."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data import Batch, Loader, Stream
from zoo.errors import ConfigError, listed
from zoo.history import History
from zoo.recipe import Recipe
from zoo.tasks import Task
from zoo.training.callbacks import Average, Best, Callback, TimeLimit, Training
from zoo.training.checkpoint.checkpointer import Keeper
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.cuda_graph import recorder_for
from zoo.training.distributed import engine_on
from zoo.training.group import AGREE, Group, losing_nobody
from zoo.training.meters import add, means, score
from zoo.training.nan_guard import Guard
from zoo.training.optimizer import Stepper, observe
from zoo.training.precision import flushed_denormals
from zoo.training.step import Steps
from zoo.training.wrapping import running


class Trainer:
    """Trains the players of a task by a recipe.

    Args:
        recipe: How to train.
        device: Where; with several processes accelerate's own device is used.
        callbacks: More to call after each step and epoch.
        on_nan: What to do about a loss that is not finite; see `zoo.training.nan_guard`.

    Raises:
        ConfigError: The recipe, a callback or the way the processes were launched is nothing that zoo trains with.
    """

    def __init__(
        self, recipe: Recipe, *, device: torch.device, callbacks: Sequence[Callback] = (), on_nan: str = "stop"
    ) -> None:
        self._engine = engine_on(device)
        self.device = self._engine.device if self._engine.num_processes > 1 else device
        if recipe.precision == "fp16" and self.device.type == "cpu":
            raise ConfigError("precision='fp16' needs a GPU; on the CPU use 'bf16' or 'fp32'")
        self._recipe = recipe
        self.group = Group(self._engine, self.device)
        self._guard = Guard(on_nan, self.device, self.group.size)
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
            TrainingError: A loss is not finite, or another process is lost.
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
        self._check_alike(train)
        players = task.players(net)
        average = Average(players, self._recipe.ema) if self._recipe.ema else None
        best = Best.wanted(self._recipe)
        limit = TimeLimit(self._recipe.time_limit) if self._recipe.time_limit else None
        watchers: list[Callback] = [each for each in (average, best, limit) if each is not None]
        with running(net, players, task, self._recipe, self._engine) as nets:
            scored = average.nets if average else players
            steps = train.steps(self.group.size)
            training = Training(recipe=self._recipe, nets=nets, scored=scored, steps=steps, earlier=len(history))
            state = self._state(net, training, train, history, watchers)
            self._watch(state, train, keeper)
            self._epochs(state, task, train, validation, keeper)
        if best:
            best.restore(players)
        elif average:
            for name, averaged in average.nets.items():
                players[name].load_state_dict(averaged.state_dict())
        self.group.even(net)

    def _check_alike(self, train: Loader | Stream) -> None:
        """Raise unless all processes draw the same order, and as many batches from somebody else's loader."""
        self.group.check_same("seed of the order", train.seed or 0)
        if isinstance(train, Stream):
            mend = "give each a loader of as many batches"
            self.group.check_same("number of batches", train.steps(self.group.size), mend)

    def _state(
        self, net: Module, training: Training, train: Loader | Stream, history: History, watchers: Sequence[Callback]
    ) -> TrainState:
        return TrainState(
            training=training,
            net=net,
            steppers={name: self._stepper(player, training.steps) for name, player in training.nets.items()},
            callbacks=[*watchers, *self._callbacks],
            history=history,
            group=self.group,
            batch=train.batch_size * self.group.size if isinstance(train, Loader) else 0,
            stream=train if isinstance(train, Stream) else None,
        )

    def _watch(self, state: TrainState, train: Loader | Stream, keeper: Keeper | None) -> None:
        """Tell the guard what it needs to say where a loss went wrong, and the state how to be looked at."""
        self._guard.indices = lambda step: self._images(train, state, step)
        self._guard.checkpoint = keeper.newest if keeper else lambda: ""
        self._guard.agreed = lambda claim: self.group.agreed(claim)[0]
        self._guard.shared = self.group.shared
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
        training, take = state.training, Steps(state, task, train, self._guard, self._recorder)
        state.begin_epoch()
        if keeper:
            keeper.begin(state)
        while state.epoch < self._recipe.epochs and not training.stop:
            training.epoch = state.earlier + state.epoch + 1
            training.row = {"epoch": training.epoch}
            self._epoch(state, take, train, keeper)
            training.row |= self._row(state, task, validation)
            observe(state.steppers, training.row, self._recipe.monitor)
            state.history.append(training.row)
            for callback in state.callbacks:
                callback.on_epoch(training)
            self._agreed_to_stop(training, is_due=True)
            state.history.stopped = training.stop
            state.epoch += 1
            state.begin_epoch()
            if keeper:
                keeper.on_epoch(state)

    def _row(self, state: TrainState, task: Task, validation: Loader | Stream | None) -> dict[str, Any]:
        """Return what the epoch that is done has come to.

        Raises:
            TrainingError: A mean is not finite.
        """
        training = state.training
        row = means(state.sums, self.group) | self._guard.close(training)
        self._guard.check_row(row, training.epoch)
        seconds = time.perf_counter() - state.started
        if validation is not None:
            scores = score(training.scored, task, self._batches(validation, 0), self.group)
            row |= {f"val_{name}": value for name, value in scores.items()}
        row["lr"] = float(next(iter(state.steppers.values())).optimizer.param_groups[0]["lr"])
        speed = round(training.images / max(seconds, 1e-9), 1)
        return row | {"seconds": round(seconds, 4), "images_per_second": speed}

    def _stepper(self, net: Module, steps: int) -> Stepper:
        scaler = torch.amp.GradScaler(self.device.type, enabled=self._recipe.precision == "fp16")
        is_recorded = self._recorder is not None
        return Stepper(net, self._recipe, steps=steps, engine=self._engine, scaler=scaler, is_recorded=is_recorded)

    def _epoch(self, state: TrainState, take: Steps, train: Loader | Stream, keeper: Keeper | None) -> None:
        training = state.training
        for net in training.nets.values():
            net.train()
        for batch in self._batches(train, state.earlier + state.epoch, training.step):
            for loss in take(batch):
                add(state.sums, loss.seen)
            whole = train.images_at(training.step, self.group.size) if self.group.size > 1 else 0
            training.images += whole or batch.targets.shape[0] * self.group.size
            training.step += 1
            for callback in state.callbacks:
                callback.on_step(training)
            is_over = self._agreed_to_stop(training, is_due=training.step % AGREE == 0)
            if keeper:
                keeper.on_step(state)
            if is_over:
                break
        for stepper in state.steppers.values():
            stepper.flush()

    def _agreed_to_stop(self, training: Training, *, is_due: bool) -> bool:
        """Return whether training ends here; several processes, whose clocks differ, agree on it where that is due."""
        if self.group.size > 1 and not is_due:
            return False
        told = self.group.shared(training.stop, training.step)
        training.stop = training.stop or told
        return bool(training.stop)

    def _batches(self, loader: Loader | Stream, epoch: int, start: int = 0) -> Iterator[Batch]:
        where: dict[str, Any] = {"rank": self.group.rank, "world": self.group.size}
        where |= {"start": start} if start else {}
        where |= {"on_first": self._check_order} if isinstance(loader, Stream) else {}
        for batch in loader.epoch(epoch, **where):
            yield Batch(*(tensor.to(self.device, non_blocking=True) for tensor in batch))

    def _check_order(self, labels: Tensor) -> None:
        """Raise unless somebody else's loader gives all processes the same batches, of which each takes its part."""
        mend = "zoo cannot seed its order: give it a DistributedSampler, or give fit the data set itself"
        self.group.check_same("first batch of the loader", zlib.crc32(labels.cpu().numpy().tobytes()), mend)
