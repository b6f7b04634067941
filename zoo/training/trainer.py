"""The loop: it knows the recipe, the task and the accelerator, no model and no data format."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data import Batch, ExternalLoader, Loader
from zoo.errors import ConfigError, join_names
from zoo.history import History
from zoo.recipe import Recipe
from zoo.tasks import Task
from zoo.training.callbacks import Average, Best, Callback, TimeLimit, Training
from zoo.training.checkpoint.checkpointer import Checkpointer
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.cuda_graph import make_recorder
from zoo.training.distributed import make_accelerator
from zoo.training.group import SYNC_EVERY, ProcessGroup, detect_lost_process
from zoo.training.meters import add_tally, compute_means, score_batches
from zoo.training.nan_guard import NonFiniteGuard
from zoo.training.optimizer import PlayerOptimizer, update_plateaus
from zoo.training.precision import flush_denormals
from zoo.training.step import TrainStep
from zoo.training.wrapping import wrap_players


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
        self._accelerator = make_accelerator(device)
        self.device = self._accelerator.device if self._accelerator.num_processes > 1 else device
        if recipe.precision == "fp16" and self.device.type == "cpu":
            raise ConfigError("precision='fp16' needs a GPU; on the CPU use 'bf16' or 'fp32'")
        self._recipe = recipe
        self.group = ProcessGroup(self._accelerator, self.device)
        self._guard = NonFiniteGuard(on_nan, self.device, self.group.world_size)
        is_steady = on_nan != "skip"  # a step that may be left out is no recording's
        self._recorder = make_recorder(recipe, self.device, self.group.world_size) if is_steady else None
        for callback in callbacks:
            if not all(callable(getattr(callback, name, None)) for name in ("on_step", "on_epoch")):
                raise ConfigError(f"a callback has the methods on_step and on_epoch; {callback!r} has not")
        self._callbacks = list(callbacks)

    @property
    def environment(self) -> dict[str, Any]:
        """Where it trains: the numbers depend on it in their last bits."""
        return {"processes": self.group.world_size, "device": self.device.type, "threads": torch.get_num_threads()}

    def fit(
        self,
        net: Module,
        task: Task,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        history: History,
        checkpointer: Checkpointer | None = None,
    ) -> None:
        """Train `net` in place for `recipe.epochs` more epochs, adding a row an epoch to `history`.

        Args:
            net: What is trained.
            task: What it learns.
            train: Where batches come from.
            validation: What is scored after each epoch, or None.
            history: Where rows are added.
            checkpointer: What writes checkpoints, and goes on from one.

        Raises:
            TrainingError: A loss is not finite, or another process is lost.
        """
        with flush_denormals(), detect_lost_process(self.group):
            self._fit(net, task, train, validation, history, checkpointer)

    def _fit(
        self,
        net: Module,
        task: Task,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        history: History,
        checkpointer: Checkpointer | None,
    ) -> None:
        net.to(self.device)
        self._check_same_order(train)
        players = task.players(net)
        average = Average(players, self._recipe.ema) if self._recipe.ema else None
        best = Best.from_recipe(self._recipe)
        limit = TimeLimit(self._recipe.time_limit) if self._recipe.time_limit else None
        watchers: list[Callback] = [each for each in (average, best, limit) if each is not None]
        with wrap_players(net, players, task, self._recipe, self._accelerator) as nets:
            scored = average.nets if average else players
            steps = train.num_batches(self.group.world_size)
            training = Training(recipe=self._recipe, nets=nets, scored=scored, steps=steps, earlier=len(history))
            state = self._make_state(net, training, train, history, watchers)
            self._connect_guard(state, train, checkpointer)
            self._run_epochs(state, task, train, validation, checkpointer)
        if best:
            best.restore(players)
        elif average:
            for name, averaged in average.nets.items():
                players[name].load_state_dict(averaged.state_dict())
        self.group.sync_buffers(net)

    def _check_same_order(self, train: Loader | ExternalLoader) -> None:
        """Raise unless all processes draw the same order, and as many batches from somebody else's loader."""
        self.group.check_same("seed of the order", train.seed or 0)
        if isinstance(train, ExternalLoader):
            mend = "give each a loader of as many batches"
            self.group.check_same("number of batches", train.num_batches(self.group.world_size), mend)

    def _make_state(
        self,
        net: Module,
        training: Training,
        train: Loader | ExternalLoader,
        history: History,
        callbacks: Sequence[Callback],
    ) -> TrainState:
        return TrainState(
            training=training,
            net=net,
            optimizers={name: self._make_optimizer(player, training.steps) for name, player in training.nets.items()},
            callbacks=[*callbacks, *self._callbacks],
            history=history,
            group=self.group,
            global_batch_size=train.batch_size * self.group.world_size if isinstance(train, Loader) else 0,
            external_loader=train if isinstance(train, ExternalLoader) else None,
        )

    def _connect_guard(
        self, state: TrainState, train: Loader | ExternalLoader, checkpointer: Checkpointer | None
    ) -> None:
        """Tell the guard what it needs to say where a loss went wrong, and the state how to be looked at."""
        self._guard.describe_batch = lambda step: self._describe_batch(train, state, step)
        self._guard.newest_checkpoint = checkpointer.newest_path if checkpointer else lambda: ""
        self._guard.any_process = lambda claim: self.group.any_process(claim)[0]
        self._guard.first_problem = self.group.first_problem
        state.check_finite = lambda: self._guard.check_weights(state.training, state.net)

    def _describe_batch(self, train: Loader | ExternalLoader, state: TrainState, step: int) -> str:
        if isinstance(train, ExternalLoader):
            return f"batch {step} of the loader"
        where = {"rank": self.group.rank, "world": self.group.world_size}
        return f"images {join_names(train.batch_indices(state.earlier + state.epoch, step - 1, **where).tolist(), 100)}"

    def _run_epochs(
        self,
        state: TrainState,
        task: Task,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        checkpointer: Checkpointer | None,
    ) -> None:
        training, take = state.training, TrainStep(state, task, train, self._guard, self._recorder)
        state.begin_epoch()
        if checkpointer:
            checkpointer.begin(state)
        while state.epoch < self._recipe.epochs and not training.stop:
            training.epoch = state.earlier + state.epoch + 1
            training.row = {"epoch": training.epoch}
            self._run_epoch(state, take, train, checkpointer)
            training.row |= self._make_row(state, task, validation)
            update_plateaus(state.optimizers, training.row, self._recipe.monitor)
            state.history.append(training.row)
            for callback in state.callbacks:
                callback.on_epoch(training)
            self._check_stop(training, due=True)
            state.history.stopped = training.stop
            state.epoch += 1
            state.begin_epoch()
            if checkpointer:
                checkpointer.on_epoch(state)

    def _make_row(self, state: TrainState, task: Task, validation: Loader | ExternalLoader | None) -> dict[str, Any]:
        """Return what the epoch that is done has come to.

        Raises:
            TrainingError: A mean is not finite.
        """
        training = state.training
        row = compute_means(state.sums, self.group) | self._guard.end_epoch(training)
        self._guard.check_row(row, training.epoch)
        seconds = time.perf_counter() - state.epoch_started
        if validation is not None:
            scores = score_batches(training.scored, task, self._iter_batches(validation, 0), self.group)
            row |= {f"val_{name}": value for name, value in scores.items()}
        row["lr"] = float(next(iter(state.optimizers.values())).optimizer.param_groups[0]["lr"])
        speed = round(training.images / max(seconds, 1e-9), 1)
        return row | {"seconds": round(seconds, 4), "images_per_second": speed}

    def _make_optimizer(self, net: Module, steps_per_epoch: int) -> PlayerOptimizer:
        scaler = torch.amp.GradScaler(self.device.type, enabled=self._recipe.precision == "fp16")
        is_recorded = self._recorder is not None
        return PlayerOptimizer(
            net,
            self._recipe,
            steps_per_epoch=steps_per_epoch,
            accelerator=self._accelerator,
            scaler=scaler,
            capturable=is_recorded,
        )

    def _run_epoch(
        self,
        state: TrainState,
        train_step: TrainStep,
        train: Loader | ExternalLoader,
        checkpointer: Checkpointer | None,
    ) -> None:
        training = state.training
        for net in training.nets.values():
            net.train()
        for batch in self._iter_batches(train, state.earlier + state.epoch, training.step):
            for loss in train_step(batch):
                add_tally(state.sums, loss.tally)
            whole = train.global_batch_size(training.step, self.group.world_size) if self.group.world_size > 1 else 0
            training.images += whole or batch.targets.shape[0] * self.group.world_size
            training.step += 1
            for callback in state.callbacks:
                callback.on_step(training)
            is_over = self._check_stop(training, due=training.step % SYNC_EVERY == 0)
            if checkpointer:
                checkpointer.on_step(state)
            if is_over:
                break
        for stepper in state.optimizers.values():
            stepper.flush()

    def _check_stop(self, training: Training, *, due: bool) -> bool:
        """Return whether training ends here; several processes, whose clocks differ, agree on it where that is due."""
        if self.group.world_size > 1 and not due:
            return False
        told = self.group.first_problem(training.stop, training.step)
        training.stop = training.stop or told
        return bool(training.stop)

    def _iter_batches(self, loader: Loader | ExternalLoader, epoch: int, start: int = 0) -> Iterator[Batch]:
        where: dict[str, Any] = {"rank": self.group.rank, "world": self.group.world_size}
        where |= {"start": start} if start else {}
        where |= {"on_first": self._check_same_batch} if isinstance(loader, ExternalLoader) else {}
        for batch in loader.iter_epoch(epoch, **where):
            yield Batch(*(tensor.to(self.device, non_blocking=True) for tensor in batch))

    def _check_same_batch(self, labels: Tensor) -> None:
        """Raise unless somebody else's loader gives all processes the same batches, of which each takes its part."""
        mend = "zoo cannot seed its order: give it a DistributedSampler, or give fit the data set itself"
        self.group.check_same("first batch of the loader", zlib.crc32(labels.cpu().numpy().tobytes()), mend)
