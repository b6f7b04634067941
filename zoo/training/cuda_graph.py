"""A training step recorded once and replayed: launching its kernels costs more than a small net's work."""

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
"""Steps that run as they are first, so that libraries are ready and optimizers have their state."""


class Recorder(Protocol):
    """What records a function of fixed tensors."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run a function as it is, where it will be recorded."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return what does the function's work again on the same memory; recording does none of it."""


class CudaGraphRecorder:
    """Records a CUDA graph on a stream of its own."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run a function on the stream, in order with what is before and after."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            function()
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return the replay of the kernels that a function launches."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            function()
        return graph.replay


def make_recorder(recipe: Recipe, device: torch.device, num_processes: int) -> Recorder | None:
    """Return what records the steps of a training, or None where they run as they are."""
    is_plain = recipe.accumulate == 1 and recipe.precision != "fp16" and not recipe.compile
    if device.type != "cuda" or num_processes > 1 or recipe.kernels == "torch" or recipe.optimizer == "rmsprop":
        return None
    return CudaGraphRecorder() if is_plain else None


class CudaGraphStep:
    """Takes steps: the first ones as they are, then by replaying what was recorded of one.

    The first replay is held against the same step run as it is: if the weights differ, the step's work is not in the
    recording alone (something happened in Python), and all steps run as they are. A batch of another shape than the
    recorded one, such as an epoch's last, also does.

    Args:
        forward: Runs one batch through the task: yields each player's loss, to be stepped before the next.
        optimizers: Steps the players.
        nets: The players.
        recorder: What records.
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
        self._batch: Batch | None = None
        self._losses: list[Loss] = []
        self._is_disabled = False

    def __call__(self, batch: Batch) -> list[Loss]:
        """Take a step on a batch; return the losses with what was seen."""
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
            self._warm_up_left -= 1
            found: list[Loss] = []
            self._recorder.warm_up(lambda: found.extend(self._run_eager(batch)))
            return found
        if self._replay is None:
            return self._record_and_verify(batch)
        if not self._has_recorded_shape(batch):
            return self._run_eager(batch)
        return self._replay_batch(batch, self._replay)

    def _run_eager(self, batch: Batch) -> list[Loss]:
        """Run a step as it is."""
        losses = []
        for loss in self._forward(batch):
            self._optimizers[loss.player].gradients.backward(loss.value)
            self._optimizers[loss.player].apply_gradients()
            losses.append(loss._replace(value=loss.value.detach()))
        return losses

    def _has_recorded_shape(self, batch: Batch) -> bool:
        return self._batch is not None and all(
            kept.shape == each.shape and kept.dtype == each.dtype for kept, each in zip(self._batch, batch, strict=True)
        )

    def _record_and_verify(self, batch: Batch) -> list[Loss]:
        """Record a step, take it both ways, and go on by replaying if that does the same."""
        held = self._batch = Batch(*(each.clone() for each in batch))
        before, random = (
            self._copy_tensors(),
            torch.cuda.get_rng_state() if batch.images.is_cuda else torch.get_rng_state(),
        )
        try:
            replay = self._recorder.record(lambda: self._store_losses(self._run_eager(held)))
        except RuntimeError as error:
            return self._disable(batch, str(error).splitlines()[0])
        expected = self._run_eager(batch)
        after = self._copy_tensors()
        _copy_into(self._changed_tensors(), before)
        (torch.cuda.set_rng_state if batch.images.is_cuda else torch.set_rng_state)(random)
        found = self._replay_batch(batch, replay)
        if _are_close(self._changed_tensors(), after):
            self._replay = replay
            return found
        _copy_into(self._changed_tensors(), after)
        self._disable(None, "a replayed step gives other weights")
        return expected

    def _store_losses(self, losses: list[Loss]) -> None:
        self._losses = losses

    def _disable(self, batch: Batch | None, reason: str) -> list[Loss]:
        self._is_disabled = True
        warnings.warn(f"steps run one kernel after another, not as one CUDA graph: {reason}", stacklevel=2)
        return [] if batch is None else self._run_eager(batch)

    def _replay_batch(self, batch: Batch, replay: Callable[[], None]) -> list[Loss]:
        assert self._batch is not None
        for kept, each in zip(self._batch, batch, strict=True):
            kept.copy_(each)
        replay()
        return [
            loss._replace(
                value=loss.value.clone(),
                tally={name: (total.clone(), num) for name, (total, num) in loss.tally.items()},
            )
            for loss in self._losses
        ]

    def _changed_tensors(self) -> list[Tensor]:
        """Return all that a step changes: weights, buffers and optimizers' states."""
        weights = [tensor for net in self._nets.values() for tensor in net.state_dict(keep_vars=True).values()]
        states = [state for each in self._optimizers.values() for state in each.optimizer.state.values()]
        return [each.detach() for each in weights] + [
            value for state in states for value in state.values() if isinstance(value, Tensor)
        ]

    def _copy_tensors(self) -> list[Tensor]:
        return [tensor.clone() for tensor in self._changed_tensors()]


def _copy_into(tensors: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def _are_close(tensors: list[Tensor], values: list[Tensor]) -> bool:
    """Return whether tensors are equal to rounding; reductions of another order may differ in their last digits."""
    return all(
        torch.allclose(one.float(), other.float(), rtol=1e-3, atol=1e-5, equal_nan=True)
        for one, other in zip(tensors, values, strict=True)
    )
