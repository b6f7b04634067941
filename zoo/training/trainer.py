"""Train the players of a task by a recipe.

`Trainer` prepares one training: it wraps the nets, builds optimizers, guard and step, and hands them to `TrainLoop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import Module

from zoo.data import ExternalLoader, Loader
from zoo.errors import ConfigError, join_names
from zoo.recipe import Recipe
from zoo.saving.history import History
from zoo.tasks import Task
from zoo.training.callbacks import Average, Best, Callback, TimeLimit, Training
from zoo.training.checkpoint.checkpointer import Checkpointer
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.cuda_graph import make_recorder
from zoo.training.distributed import ProcessGroup, detect_lost_process, make_accelerator
from zoo.training.loop import TrainLoop
from zoo.training.nan_guard import NonFiniteGuard, check_on_nan
from zoo.training.optimizer import PlayerOptimizer
from zoo.training.precision import flush_denormals
from zoo.training.step import TrainStep
from zoo.training.wrapping import wrap_players


class Trainer:
    """Train the players of a task by a recipe.

    Args:
        recipe: How to train.
        device: Where to train; with several processes accelerate's own device is used.
        callbacks: More callbacks, called after each step and epoch.
        on_nan: What to do about a loss that is not finite; see `zoo.training.nan_guard`.

    Raises:
        ConfigError: The recipe, a callback, `on_nan` or the launch mode is not supported.
    """

    def __init__(
        self, recipe: Recipe, *, device: torch.device, callbacks: Sequence[Callback] = (), on_nan: str = "stop"
    ) -> None:
        self._accelerator = make_accelerator(device)
        self.device = self._accelerator.device if self._accelerator.num_processes > 1 else device
        if recipe.precision == "fp16" and self.device.type == "cpu":
            raise ConfigError("precision='fp16' needs a GPU; on the CPU use 'bf16' or 'fp32'")
        check_on_nan(on_nan)
        for callback in callbacks:
            if not all(callable(getattr(callback, name, None)) for name in ("on_step", "on_epoch")):
                raise ConfigError(f"a callback has the methods on_step and on_epoch; {callback!r} has not")
        self._recipe, self._callbacks, self._on_nan = recipe, list(callbacks), on_nan
        self.group = ProcessGroup(self._accelerator, self.device)
        is_recordable = on_nan != "skip"  # a recorded step cannot be left out
        self._recorder = make_recorder(recipe, self.device, self.group.world_size) if is_recordable else None

    @property
    def environment(self) -> dict[str, Any]:
        """Processes, device and threads: the last bits of the weights depend on them."""
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
        """Train `net` in place for `recipe.epochs` more epochs, and add a row to `history` after each.

        Args:
            net: The module to train, with all players.
            task: What it learns.
            train: The loader of training batches.
            validation: The loader of the images that are scored after each epoch, or None.
            history: Where the rows are added.
            checkpointer: Writes checkpoints and resumes from one, or None.

        Raises:
            TrainingError: A loss is not finite, or another process is lost.
        """
        with flush_denormals(), detect_lost_process(self.group):
            net.to(self.device)
            self._check_same_order(train)
            players = task.players(net)
            average = Average(players, self._recipe.ema) if self._recipe.ema else None
            best = Best.from_recipe(self._recipe)
            limit = TimeLimit(self._recipe.time_limit) if self._recipe.time_limit else None
            callbacks: list[Callback] = [each for each in (average, best, limit) if each is not None]
            with wrap_players(net, players, task, self._recipe, self._accelerator) as nets:
                scored, steps = average.nets if average else players, train.num_batches(self.group.world_size)
                training = Training(recipe=self._recipe, nets=nets, scored=scored, steps=steps, earlier=len(history))
                state = self._make_state(net, training, train, history, callbacks)
                self._make_loop(state, task, train, validation, checkpointer).run()
            if best:
                best.restore(players)
            elif average:
                average.restore(players)
            self.group.sync_buffers(net)

    def _check_same_order(self, train: Loader | ExternalLoader) -> None:
        """Raise unless all processes have the same order, and as many batches from another library's loader."""
        self.group.check_same("seed of the order", train.seed or 0)
        if isinstance(train, ExternalLoader):
            advice = "give each a loader of as many batches"
            self.group.check_same("number of batches", train.num_batches(self.group.world_size), advice)

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

    def _make_optimizer(self, player: Module, steps_per_epoch: int) -> PlayerOptimizer:
        return PlayerOptimizer(
            player,
            self._recipe,
            steps_per_epoch=steps_per_epoch,
            accelerator=self._accelerator,
            scaler=torch.amp.GradScaler(self.device.type, enabled=self._recipe.precision == "fp16"),
            capturable=self._recorder is not None,
        )

    def _make_loop(
        self,
        state: TrainState,
        task: Task,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        checkpointer: Checkpointer | None,
    ) -> TrainLoop:
        guard = NonFiniteGuard(
            self._on_nan,
            group=self.group,
            describe_batch=lambda step: _describe_batch(train, state, step),
            newest_checkpoint=checkpointer.newest_path if checkpointer else str,
        )
        state.check_finite = lambda: guard.check_weights(state.training, state.net)
        step = TrainStep(state, task, train, guard, self._recorder)
        return TrainLoop(state, task, train, validation, step=step, guard=guard, checkpointer=checkpointer)


def _describe_batch(train: Loader | ExternalLoader, state: TrainState, step: int) -> str:
    """Return which images of the training set the batch of a step holds, for an error message."""
    if isinstance(train, ExternalLoader):
        return f"batch {step} of the loader"
    shard = {"rank": state.group.rank, "world_size": state.group.world_size}
    indices = train.batch_indices(state.earlier + state.epoch, step - 1, **shard)
    return f"images {join_names(indices.tolist(), 100)}"
