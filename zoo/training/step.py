"""Take one training step: compute the losses of a batch, check them, and step player by player."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from zoo.data import Batch, ExternalLoader, Loader
from zoo.tasks import Loss, Task
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.cuda_graph import CudaGraphStep, Recorder
from zoo.training.nan_guard import NonFiniteGuard
from zoo.training.precision import autocast


class TrainStep:
    """Take steps on batches, one after another.

    Args:
        state: Everything that the steps change.
        task: What is learned.
        train: The loader of the batches; it knows how many images each process has.
        guard: Checks each loss.
        recorder: Records a step so that it can be replayed, or None.
    """

    def __init__(
        self,
        state: TrainState,
        task: Task,
        train: Loader | ExternalLoader,
        guard: NonFiniteGuard,
        recorder: Recorder | None,
    ) -> None:
        self._state, self._task, self._train, self._guard = state, task, train, guard
        self._nets, self._optimizers = state.training.nets, state.optimizers
        self._recorded_step = (
            None if recorder is None else CudaGraphStep(self._iter_losses, self._optimizers, self._nets, recorder)
        )

    def __call__(self, batch: Batch) -> Iterable[Loss]:
        """Take a step on a batch; return the losses that were stepped on.

        Raises:
            TrainingError: A loss is not finite.
        """
        if self._recorded_step is None:
            return self._step_players(batch)
        losses = self._recorded_step(batch)
        return [loss for loss in losses if self._guard.allow_step(self._state.training, loss.player, loss.value)]

    def _step_players(self, batch: Batch) -> Iterator[Loss]:
        """Step each player on its loss; if the guard rejects a loss, skip the players that have not stepped yet."""
        weight, stepped = self._loss_weight(batch), set[str]()
        losses = self._iter_losses(batch)
        for loss in losses:
            if not self._guard.allow_step(self._state.training, loss.player, loss.value):
                losses.close()
                for name in self._optimizers.keys() - stepped:
                    self._optimizers[name].schedule.advance()
                return
            value = loss.value * weight if weight != 1 else loss.value
            self._optimizers[loss.player].step(value, loss.gradient)
            stepped.add(loss.player)
            yield loss

    def _loss_weight(self, batch: Batch) -> float:
        """Return the weight of this process's loss.

        Processes average their gradients. Where some have fewer images, the weights make that the mean over images.
        """
        num_processes = self._state.group.world_size
        if num_processes == 1:
            return 1.0
        num_images = self._train.global_batch_size(self._state.training.step, num_processes)
        return len(batch.targets) * num_processes / num_images if num_images else 1.0

    def _iter_losses(self, batch: Batch) -> Generator[Loss, None, None]:
        """Yield the task's losses one by one; only the forward pass runs under autocast."""
        losses, precision = self._task.losses(self._nets, batch), self._state.training.recipe.precision
        if precision == "fp32":
            yield from losses
            return
        while True:
            with autocast(batch.images.device, precision):
                loss = next(losses, None)
            if loss is None:
                return
            yield loss
