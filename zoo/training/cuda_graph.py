"""Record a training step as a CUDA graph and replay it.

Launching the kernels of a small net takes longer than running them; a replay launches them all at once.
`make_recorder` decides whether a training can be recorded, a `Recorder` records a function of fixed tensors, and
`CudaGraphStep` takes the training steps with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data import Batch
from zoo.recipe import Recipe
from zoo.tasks import Loss
from zoo.training.optimizer import PlayerOptimizer

WARM_UP_STEPS = 3
"""Steps run before the recording, so that libraries are initialized and optimizers have their state."""


class Recorder(Protocol):
    """Records a function of fixed tensors."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run a function where it will be recorded."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Record a function without running it; return a replay that repeats its work on the same memory."""


class CudaGraphRecorder:
    """Records a CUDA graph on its own stream."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run a function on the stream, after all earlier work and before all later work."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            function()
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Record the kernels that a function launches; return their replay."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return graph.replay


def make_recorder(recipe: Recipe, device: torch.device, num_processes: int) -> Recorder | None:
    """Return the recorder of a training, or None if its steps cannot be recorded."""
    is_plain = recipe.accumulate == 1 and recipe.precision != "fp16" and not recipe.compile
    if device.type != "cuda" or num_processes > 1 or recipe.kernels == "torch" or recipe.optimizer == "rmsprop":
        return None
    return CudaGraphRecorder() if is_plain else None


class CudaGraphStep:
    """Run the first steps eagerly, record one, and replay it for the rest.

    The first replay is compared with the same step run eagerly. If the weights differ, part of the step happened in
    Python and is not in the recording; all steps are then run eagerly. So is a batch whose shape differs from the
    recorded one, such as the last batch of an epoch.

    Args:
        forward: Runs one batch through the task. It yields the loss of each player, which must be stepped on before
            the next loss is computed.
        optimizers: The optimizer of each player.
        nets: The players' modules by name.
        recorder: Records a step.
    """

    def __init__(
        self,
        forward: Callable[[Batch], Iterable[Loss]],
        optimizers: Mapping[str, PlayerOptimizer],
        nets: Mapping[str, Module],
        recorder: Recorder,
    ) -> None:
        self._forward, self._optimizers, self._nets, self._recorder = forward, optimizers, nets, recorder
        self._warm_up_left = WARM_UP_STEPS
        self._replay: Callable[[], None] | None = None
        self._recorded_batch: Batch | None = None
        self._losses: list[Loss] = []
        self._is_disabled = False

    def __call__(self, batch: Batch) -> list[Loss]:
        """Take a step on a batch; return its losses and tallies."""
        for optimizer in self._optimizers.values():
            optimizer.set_lr()
        losses = self._step(batch)
        for loss in losses:
            self._optimizers[loss.player].schedule.advance()
        return losses

    def _step(self, batch: Batch) -> list[Loss]:
        if self._is_disabled:
            return self._run_eager(batch)
        if self._warm_up_left:
            return self._warm_up(batch)
        if self._replay is None:
            return self._record_and_verify(batch)
        if not self._has_recorded_shape(batch):
            return self._run_eager(batch)
        return self._replay_batch(batch, self._replay)

    def _run_eager(self, batch: Batch) -> list[Loss]:
        """Run a step kernel by kernel."""
        losses = []
        for loss in self._forward(batch):
            self._optimizers[loss.player].gradients.backward(loss.value)
            self._optimizers[loss.player].apply_gradients()
            losses.append(loss._replace(value=loss.value.detach()))
        return losses

    def _warm_up(self, batch: Batch) -> list[Loss]:
        self._warm_up_left -= 1
        losses: list[Loss] = []
        self._recorder.warm_up(lambda: losses.extend(self._run_eager(batch)))
        return losses

    def _has_recorded_shape(self, batch: Batch) -> bool:
        return self._recorded_batch is not None and all(
            recorded.shape == tensor.shape and recorded.dtype == tensor.dtype
            for recorded, tensor in zip(self._recorded_batch, batch, strict=True)
        )

    def _record_and_verify(self, batch: Batch) -> list[Loss]:
        """Record a step, run it both ways, and keep the replay if both give the same weights."""
        recorded_batch = self._recorded_batch = Batch(*(tensor.clone() for tensor in batch))
        before, rng_state = self._copy_tensors(), _get_rng_state(batch)
        try:
            replay = self._recorder.record(lambda: self._store_losses(self._run_eager(recorded_batch)))
        except RuntimeError as error:
            self._disable(str(error).splitlines()[0])
            return self._run_eager(batch)
        losses = self._run_eager(batch)
        after = self._copy_tensors()
        _copy_into(self._changed_tensors(), before)
        _set_rng_state(batch, rng_state)
        replayed_losses = self._replay_batch(batch, replay)
        if _are_close(self._changed_tensors(), after):
            self._replay = replay
            return replayed_losses
        _copy_into(self._changed_tensors(), after)
        self._disable("a replayed step gives other weights")
        return losses

    def _store_losses(self, losses: list[Loss]) -> None:
        self._losses = losses

    def _disable(self, reason: str) -> None:
        self._is_disabled = True
        warnings.warn(f"steps run one kernel after another, not as one CUDA graph: {reason}", stacklevel=2)

    def _replay_batch(self, batch: Batch, replay: Callable[[], None]) -> list[Loss]:
        assert self._recorded_batch is not None
        for recorded, tensor in zip(self._recorded_batch, batch, strict=True):
            recorded.copy_(tensor)
        replay()
        return [
            loss._replace(
                value=loss.value.clone(),
                tally={name: (total.clone(), num) for name, (total, num) in loss.tally.items()},
            )
            for loss in self._losses
        ]

    def _changed_tensors(self) -> list[Tensor]:
        """Return all tensors that a step changes: weights, buffers and the states of the optimizers."""
        weights = [tensor for net in self._nets.values() for tensor in net.state_dict(keep_vars=True).values()]
        states = [state for each in self._optimizers.values() for state in each.optimizer.state.values()]
        return [tensor.detach() for tensor in weights] + [
            value for state in states for value in state.values() if isinstance(value, Tensor)
        ]

    def _copy_tensors(self) -> list[Tensor]:
        return [tensor.clone() for tensor in self._changed_tensors()]


def _get_rng_state(batch: Batch) -> Tensor:
    return torch.cuda.get_rng_state() if batch.images.is_cuda else torch.get_rng_state()


def _set_rng_state(batch: Batch, state: Tensor) -> None:
    (torch.cuda.set_rng_state if batch.images.is_cuda else torch.set_rng_state)(state)


def _copy_into(tensors: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def _are_close(tensors: list[Tensor], values: list[Tensor]) -> bool:
    """Return whether tensors are equal up to rounding; reductions in another order may differ in their last digits."""
    return all(
        torch.allclose(actual.float(), expected.float(), rtol=1e-3, atol=1e-5, equal_nan=True)
        for actual, expected in zip(tensors, values, strict=True)
    )
