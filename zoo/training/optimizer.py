"""Recipe to optimizer and schedule, for each player."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from zoo.errors import ConfigError, join_names
from zoo.history import is_lower_better
from zoo.recipe import Recipe
from zoo.training.fused_adam import FusedAdam

ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 1 / 25, 1e-4


def build_optimizer(recipe: Recipe, parameters: Iterable[Parameter], *, capturable: bool = False) -> Optimizer:
    """Return the recipe's optimizer over the parameters that need gradients.

    Args:
        recipe: How to train.
        parameters: What to train.
        capturable: Whether its steps are recorded and replayed: the learning rate is then read from a tensor.

    Raises:
        ConfigError: No parameter needs a gradient.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if not trained:
        raise ConfigError("no weight of the model is trained: all are frozen")
    device = trained[0].device
    lr = torch.tensor(recipe.lr, dtype=torch.float32, device=device) if capturable else recipe.lr
    common: dict[str, Any] = {"lr": lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "rmsprop":
        return RMSprop(trained, momentum=recipe.momentum, **common)
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in trained)
    if recipe.optimizer == "sgd":
        return SGD(trained, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=fused, **common)
    kind = Adam if recipe.optimizer == "adam" else AdamW
    return kind(trained, betas=recipe.betas, fused=fused, capturable=capturable and device.type == "cuda", **common)


def lr_factor(recipe: Recipe, epoch: float) -> float:
    """Return what the learning rate is multiplied by `epoch` epochs (a fraction counts) after the start.

    `plateau` is not a function of time: `Stepper.observe` handles it.
    """
    if epoch < recipe.warmup:
        return epoch / recipe.warmup
    span = max(recipe.epochs - recipe.warmup, 1e-9)
    share = min((epoch - recipe.warmup) / span, 1.0)
    if recipe.schedule == "step":
        return math.pow(recipe.gamma, (epoch - recipe.warmup) // recipe.step_size)
    if recipe.schedule == "cosine":
        return _cosine(1.0, 0.0, share)
    if recipe.schedule == "one-cycle":
        rise = ONE_CYCLE_RISE
        return (
            _cosine(ONE_CYCLE_START, 1, share / rise)
            if share < rise
            else _cosine(1, ONE_CYCLE_END, (share - rise) / (1 - rise))
        )
    return 1.0


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


class PlayerOptimizer:
    """Steps one player: zero, backward, clip, step, schedule.

    Args:
        player: The module as it is run (wrapped, when several processes train it).
        recipe: How to train.
        steps_per_epoch: Batches an epoch.
        accelerator: accelerate's `Accelerator`: it runs the backward pass and holds back synchronisation.
        scaler: Gradient scaler of fp16, else one that is switched off.
        capturable: Whether steps are recorded and replayed; see `zoo.training.cuda_graph`.
    """

    def __init__(
        self,
        player: Module,
        recipe: Recipe,
        *,
        steps_per_epoch: int,
        accelerator: Any,
        scaler: torch.amp.GradScaler,
        capturable: bool = False,
    ) -> None:
        self.optimizer = build_optimizer(recipe, player.parameters(), capturable=capturable)
        self._lr: Tensor | None = self.optimizer.param_groups[0]["lr"] if capturable else None
        self._fused_adam = (
            FusedAdam(self.optimizer) if FusedAdam.is_supported(self.optimizer) and not capturable else None
        )
        self._player, self._recipe, self._accelerator, self._scaler = player, recipe, accelerator, scaler
        self._steps_per_epoch = steps_per_epoch
        self._num_steps = self._pending = 0
        self._plateau, self._stale_epochs, self._best = 1.0, 0, math.inf

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return (
            self._recipe.lr * self._plateau * lr_factor(self._recipe, (self._num_steps + 0.5) / self._steps_per_epoch)
        )

    def step(self, loss: Tensor, gradient: Tensor | None = None) -> None:
        """Take the gradient of a loss, and a step when enough batches are gathered.

        Args:
            loss: A scalar.
            gradient: That of the player's one parameter, where it came with the loss.
        """
        self._pending += 1
        is_due = self._pending == self._recipe.accumulate
        if gradient is not None:
            self._accumulate_gradient(gradient)
        else:
            self._backward(loss, is_due)
        if is_due:
            self._step_optimizer()
        self._num_steps += 1

    def _backward(self, loss: Tensor, synchronize: bool) -> None:
        with nullcontext() if synchronize else self._accelerator.no_sync(self._player):
            scaled = self._scaler.scale(loss / self._recipe.accumulate if self._recipe.accumulate > 1 else loss)
            self._accelerator.backward(scaled)

    def _accumulate_gradient(self, gradient: Tensor) -> None:
        """Add a gradient to what is gathered."""
        (parameter,) = self.optimizer.param_groups[0]["params"]
        share = gradient / self._recipe.accumulate if self._recipe.accumulate > 1 else gradient
        parameter.grad = share if parameter.grad is None else parameter.grad.add_(share)

    def skip(self) -> None:
        """Leave out a batch; the schedule goes on."""
        self._num_steps += 1

    def flush(self) -> None:
        """Step with what an epoch's last batches have gathered, averaged over as many as there were."""
        if self._pending:
            for gradient in self._gradients():
                gradient.mul_(self._recipe.accumulate / self._pending)
            self._step_optimizer()

    def set_lr(self) -> None:
        """Give the optimizer the learning rate of the next step; where steps are recorded, through the same tensor."""
        rate: float | Tensor = self.lr if self._lr is None else self._lr.fill_(self.lr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def backward_and_step(self, loss: Tensor) -> None:
        """Take the gradient of a loss and a step, after `prepare`; what is recorded has no more in it than this."""
        self._accelerator.backward(loss)
        self._apply_gradients()

    def advance(self) -> None:
        """Go on to the next step's learning rate, after `apply` or its replay."""
        self._num_steps += 1

    def _step_optimizer(self) -> None:
        self.set_lr()
        self._apply_gradients()

    def _apply_gradients(self) -> None:
        if self._recipe.clip is not None:
            self._scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self._player.parameters(), self._recipe.clip)
        if self._fused_adam is not None:
            self._fused_adam.step()
        else:
            self._scaler.step(self.optimizer)
            self._scaler.update()
        for parameter in self._parameters():
            parameter.grad = None
        self._pending = 0

    def _parameters(self) -> Iterator[Parameter]:
        return (parameter for group in self.optimizer.param_groups for parameter in group["params"])

    def _gradients(self) -> Iterator[Tensor]:
        return (parameter.grad for parameter in self._parameters() if parameter.grad is not None)

    def update_plateau(self, value: float) -> None:
        """Hear the monitored value of an epoch, lower is better: `plateau` drops the rate when it stays."""
        self._stale_epochs = 0 if value < self._best else self._stale_epochs + 1
        self._best = min(value, self._best)
        if self._recipe.schedule == "plateau" and self._stale_epochs >= self._recipe.step_size:
            self._plateau, self._stale_epochs = self._plateau * self._recipe.gamma, 0

    @property
    def is_accumulating(self) -> bool:
        """Whether batches are gathered that no step was taken on yet."""
        return self._pending > 0

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes: of optimizer, scaler and schedule, and the gradients gathered so far."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "taken": self._num_steps,
            "steps": self._steps_per_epoch,
            "pending": self._pending,
            "gradients": [weight.grad for weight in self._parameters()] if self._pending else [],
            "plateau": [self._plateau, self._stale_epochs, self._best],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned; with other batches an epoch, the schedule goes on at the same epoch.

        Raises:
            ConfigError: It is the state of an optimizer over other weights.
        """
        try:
            self.optimizer.load_state_dict(state["optimizer"])
        except (ValueError, KeyError) as error:
            raise ConfigError(f"the checkpoint's optimizer is over other weights: {error}") from error
        for weight, own in self.optimizer.state.items():
            own.update(
                {key: _match_layout(weight, value) for key, value in own.items() if _has_shape_of(weight, value)}
            )
        self._scaler.load_state_dict(state["scaler"])
        self._num_steps, self._pending = (
            round(state["taken"] * self._steps_per_epoch / state["steps"]),
            state["pending"],
        )
        self._plateau, self._stale_epochs, self._best = state["plateau"]
        for weight, gradient in zip(self._parameters(), state["gradients"], strict=False):
            weight.grad = None if gradient is None else _match_layout(weight, gradient)


def _has_shape_of(weight: Tensor, value: Any) -> bool:
    return isinstance(value, Tensor) and value.shape == weight.shape and value.ndim > 0


def _match_layout(weight: Tensor, value: Tensor) -> Tensor:
    """Return values in memory as the weight is, channels last for instance: fused optimizers count on it."""
    return torch.empty_strided(weight.shape, weight.stride(), dtype=value.dtype, device=weight.device).copy_(value)


def update_plateaus(optimizers: Mapping[str, PlayerOptimizer], row: Mapping[str, Any], monitor: str) -> None:
    """Tell the schedules the monitored value, or the training loss where there is none.

    Raises:
        ConfigError: No column of the history is called so.
    """
    if monitor not in row and not monitor.startswith("val_"):
        raise ConfigError(f"monitor {monitor!r} is no column of the history ({join_names(row)})")
    name = monitor if monitor in row else "loss"
    value = row.get(name, 0.0) if is_lower_better(name) else -row[name]
    for stepper in optimizers.values():
        stepper.update_plateau(value)
