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
from zoo.training.optimizer import Stepper

WARM_UP = 3
"""Steps that run as they are first, so that libraries are ready and optimizers have their state."""


class Recorder(Protocol):
    """What records a function of fixed tensors."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run a function as it is, where it will be recorded."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return what does the function's work again on the same memory; recording does none of it."""


class CudaGraph:
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


def recorder_for(recipe: Recipe, device: torch.device, processes: int) -> Recorder | None:
    """Return what records the steps of a training, or None where they run as they are."""
    is_plain = recipe.accumulate == 1 and recipe.precision != "fp16" and not recipe.compile
    if device.type != "cuda" or processes > 1 or recipe.kernels == "torch" or recipe.optimizer == "rmsprop":
        return None
    return CudaGraph() if is_plain else None


class Captured:
    """Takes steps: the first ones as they are, then by replaying what was recorded of one.

    The first replay is held against the same step run as it is: if the weights differ, the step's work is not in the
    recording alone (something happened in Python), and all steps run as they are. A batch of another shape than the
    recorded one, such as an epoch's last, also does.

    Args:
        forward: Runs one batch through the task: yields each player's loss, to be stepped before the next.
        steppers: Steps the players.
        nets: The players.
        recorder: What records.
    """

    def __init__(
        self,
        forward: Callable[[Batch], Iterable[Loss]],
        steppers: Mapping[str, Stepper],
        nets: Mapping[str, Module],
        recorder: Recorder,
    ) -> None:
        self._forward, self._steppers, self._nets, self._recorder = forward, steppers, nets, recorder
        self._left = WARM_UP
        self._replay: Callable[[], None] | None = None
        self._batch: Batch | None = None
        self._losses: list[Loss] = []
        self._is_off = False

    def __call__(self, batch: Batch) -> list[Loss]:
        """Take a step on a batch; return the losses with what was seen."""
        for stepper in self._steppers.values():
            stepper.prepare()
        losses = self._taken(batch)
        for loss in losses:
            self._steppers[loss.player].count()
        return losses

    def _taken(self, batch: Batch) -> list[Loss]:
        if self._is_off:
            return self._run(batch)
        if self._left:
            self._left -= 1
            found: list[Loss] = []
            self._recorder.warm_up(lambda: found.extend(self._run(batch)))
            return found
        if self._replay is None:
            return self._begun(batch)
        if not self._is_alike(batch):
            return self._run(batch)
        return self._replayed(batch, self._replay)

    def _run(self, batch: Batch) -> list[Loss]:
        """Run a step as it is."""
        losses = []
        for loss in self._forward(batch):
            self._steppers[loss.player].apply(loss.value)
            losses.append(loss._replace(value=loss.value.detach()))
        return losses

    def _is_alike(self, batch: Batch) -> bool:
        return self._batch is not None and all(
            kept.shape == each.shape and kept.dtype == each.dtype for kept, each in zip(self._batch, batch, strict=True)
        )

    def _begun(self, batch: Batch) -> list[Loss]:
        """Record a step, take it both ways, and go on by replaying if that does the same."""
        held = self._batch = Batch(*(each.clone() for each in batch))
        before, random = self._state(), torch.cuda.get_rng_state() if batch.images.is_cuda else torch.get_rng_state()
        try:
            replay = self._recorder.record(lambda: self._keep(self._run(held)))
        except RuntimeError as error:
            return self._given_up(batch, str(error).splitlines()[0])
        expected = self._run(batch)
        after = self._state()
        _put_back(self._tensors(), before)
        (torch.cuda.set_rng_state if batch.images.is_cuda else torch.set_rng_state)(random)
        found = self._replayed(batch, replay)
        if _agree(self._tensors(), after):
            self._replay = replay
            return found
        _put_back(self._tensors(), after)
        self._given_up(None, "a replayed step gives other weights")
        return expected

    def _keep(self, losses: list[Loss]) -> None:
        self._losses = losses

    def _given_up(self, batch: Batch | None, why: str) -> list[Loss]:
        self._is_off = True
        warnings.warn(f"steps run one kernel after another, not as one CUDA graph: {why}", stacklevel=2)
        return [] if batch is None else self._run(batch)

    def _replayed(self, batch: Batch, replay: Callable[[], None]) -> list[Loss]:
        assert self._batch is not None
        for kept, each in zip(self._batch, batch, strict=True):
            kept.copy_(each)
        replay()
        return [
            loss._replace(
                value=loss.value.clone(), seen={name: (total.clone(), num) for name, (total, num) in loss.seen.items()}
            )
            for loss in self._losses
        ]

    def _tensors(self) -> list[Tensor]:
        """Return all that a step changes: weights, buffers and optimizers' states."""
        weights = [tensor for net in self._nets.values() for tensor in net.state_dict(keep_vars=True).values()]
        states = [state for stepper in self._steppers.values() for state in stepper.optimizer.state.values()]
        return [each.detach() for each in weights] + [
            value for state in states for value in state.values() if isinstance(value, Tensor)
        ]

    def _state(self) -> list[Tensor]:
        return [tensor.clone() for tensor in self._tensors()]


def _put_back(tensors: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def _agree(tensors: list[Tensor], values: list[Tensor]) -> bool:
    """Return whether tensors are equal to rounding; reductions of another order may differ in their last digits."""
    return all(
        torch.allclose(one.float(), other.float(), rtol=1e-3, atol=1e-5, equal_nan=True)
        for one, other in zip(tensors, values, strict=True)
    )
