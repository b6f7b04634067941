"""Build the recipe's optimizer, and step one player with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.training.accumulation import GradientAccumulator
from zoo.training.fused_adam import FusedAdam
from zoo.training.module_state import match_layout
from zoo.training.schedule import Schedule


def build_optimizer(recipe: Recipe, parameters: Iterable[Parameter], *, capturable: bool = False) -> Optimizer:
    """Return the recipe's optimizer over the parameters that need gradients.

    Args:
        recipe: How to train.
        parameters: What to train; frozen parameters are left out.
        capturable: Whether the steps are recorded as a CUDA graph. The learning rate is then a tensor, which a replay
            reads again.

    Raises:
        ConfigError: No parameter needs a gradient.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    if not trainable:
        raise ConfigError("no weight of the model is trained: all are frozen")
    device = trainable[0].device
    lr = torch.tensor(recipe.lr, dtype=torch.float32, device=device) if capturable else recipe.lr
    common: dict[str, Any] = {"lr": lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "rmsprop":
        return RMSprop(trainable, momentum=recipe.momentum, **common)
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in trainable)
    if recipe.optimizer == "sgd":
        return SGD(trainable, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=fused, **common)
    optimizer_class = Adam if recipe.optimizer == "adam" else AdamW
    capturable = capturable and device.type == "cuda"
    return optimizer_class(trainable, betas=recipe.betas, fused=fused, capturable=capturable, **common)


class PlayerOptimizer:
    """Train one player: compute gradients, clip them, step the optimizer, follow the schedule.

    Three objects do the work. `gradients` adds up the gradients of `recipe.accumulate` batches, `optimizer` steps on
    their mean, and `schedule` gives the learning rate.

    Args:
        player: The module as it runs (wrapped when several processes train it).
        recipe: How to train.
        steps_per_epoch: Batches in an epoch.
        accelerator: accelerate's `Accelerator`; it runs the backward pass and delays the exchange between processes.
        scaler: Gradient scaler of fp16; disabled at other precisions.
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
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        self.gradients = GradientAccumulator(
            player, parameters, num_batches=recipe.accumulate, accelerator=accelerator, scaler=scaler
        )
        self.schedule = Schedule(recipe, steps_per_epoch)
        self._player, self._clip, self._scaler = player, recipe.clip, scaler
        self._lr_tensor: Tensor | None = self.optimizer.param_groups[0]["lr"] if capturable else None
        is_fused = FusedAdam.is_supported(self.optimizer) and not capturable
        self._fused_adam = FusedAdam(self.optimizer) if is_fused else None

    def step(self, loss: Tensor, gradient: Tensor | None = None) -> None:
        """Add the gradient of one batch, and step the optimizer when enough batches are added.

        Args:
            loss: A scalar.
            gradient: The gradient of the player's one parameter, if it was computed along with the loss.
        """
        if gradient is None:
            self.gradients.backward(loss)
        else:
            self.gradients.add(gradient)
        if self.gradients.is_full:
            self.set_lr()
            self.apply_gradients()
        self.schedule.advance()

    def flush(self) -> None:
        """Step on the last batches of an epoch, if they are fewer than a step takes."""
        if self.gradients.num_pending:
            self.gradients.average_pending()
            self.set_lr()
            self.apply_gradients()

    def set_lr(self) -> None:
        """Set the optimizer's learning rate to the schedule's; a recorded step reads it from the same tensor."""
        lr: float | Tensor = self.schedule.lr
        if self._lr_tensor is not None:
            lr = self._lr_tensor.fill_(lr)
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def apply_gradients(self) -> None:
        """Clip the gradients, step the optimizer and drop the gradients."""
        if self._clip is not None:
            self._scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self._player.parameters(), self._clip)
        if self._fused_adam is not None:
            self._fused_adam.step()
        else:
            self._scaler.step(self.optimizer)
            self._scaler.update()
        self.gradients.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes: optimizer, scaler, schedule, and the gradients added since the last step."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            **self.schedule.state_dict(),
            **self.gradients.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is of an optimizer over other weights.
        """
        try:
            self.optimizer.load_state_dict(state["optimizer"])
        except (ValueError, KeyError) as error:
            raise ConfigError(f"the checkpoint's optimizer is over other weights: {error}") from error
        for weight, moments in self.optimizer.state.items():
            moments.update(
                {name: match_layout(weight, value) for name, value in moments.items() if _is_like(weight, value)}
            )
        self._scaler.load_state_dict(state["scaler"])
        self.schedule.load_state_dict(state)
        self.gradients.load_state_dict(state)


def _is_like(weight: Tensor, value: Any) -> bool:
    return isinstance(value, Tensor) and value.shape == weight.shape and value.ndim > 0
