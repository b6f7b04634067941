"""Describe how to train, as one frozen value whose fields are validated when it is created."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from zoo.errors import ConfigError, did_you_mean, join_names

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("constant", "step", "cosine", "one-cycle", "plateau")
PRECISIONS = ("fp32", "bf16", "fp16")
KERNELS = ("auto", "fused", "torch")
OBJECTIVES = ("classic", "hinge")
MAX_FLOAT = sys.float_info.max
VALIDATION_FRACTION = 0.1
"""Fraction of the training images used for validation if a recipe selects by scores and sets no `validation`."""


def _number_field(
    low: float = -math.inf, high: float = math.inf, *, default: Any, above: bool = False, whole: bool = False
) -> Any:
    """Declare a numeric field in [low, high], or in (low, high] with `above`."""
    return field(default=default, metadata={"low": low, "high": high, "above": above, "whole": whole})


def _choice_field(*choices: str) -> Any:
    """Declare a field that is one of `choices`; the first one is the default."""
    return field(default=choices[0], metadata={"choices": choices})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a model. `recipe.replace(lr=0.1)` returns a changed copy; an unknown field is an error.

    Args:
        epochs: Passes over the training images.
        batch_size: Images in a batch, on each process.
        optimizer: `adam`, `adamw`, `sgd` or `rmsprop`.
        lr: Learning rate, at the peak of the schedule.
        momentum: Momentum of SGD and RMSprop.
        nesterov: Use Nesterov momentum, with SGD.
        betas: Decay rates of Adam's two moments.
        weight_decay: L2 penalty (decoupled for `adamw`).
        schedule: `constant`; `step` (times `gamma` every `step_size` epochs); `cosine` (to zero); `one-cycle`
            (up over the first 30 % of the steps, then down to almost zero; Smith 2018); `plateau` (times `gamma` when
            the monitored metric has not improved for `step_size` epochs).
        step_size: Epochs between drops of `step`, or without improvement for `plateau`.
        gamma: Factor of the learning rate at a drop.
        warmup: Epochs of linear warm-up before the schedule; may be a fraction.
        clip: Largest global gradient norm; None does not clip.
        accumulate: Batches whose gradients are averaged into one step.
        label_smoothing: Fraction of the target that is spread over all classes (Szegedy et al. 2016), in [0, 1).
        class_weights: Loss weight of each class; `"balanced"` weighs by inverse frequency.
        mixup: Alpha of mixup's Beta distribution (Zhang et al. 2018); 0 is off.
        cutmix: Alpha of CutMix's Beta distribution (Yun et al. 2019); 0 is off. With both, each
            batch uses one of them at random.
        augment: Batched augmentations by name, such as `("flip", "shift:2")`; see `zoo.data.augment`.
        ema: Decay of the exponential moving average of the weights; 0 is off. If on, the average is scored, and `fit`
            leaves it in the model.
        precision: `fp32`, or autocast to `bf16` or `fp16`.
        compile: Run the net through `torch.compile`.
        kernels: How a stack of graph convolutions is trained on the CPU. `auto` compiles loss and gradient into one
            call if possible, `fused` raises if it is not possible, `torch` computes layer by layer. The results are
            equal up to rounding.
        channels_last: Store images and weights of convolutions with channels last in memory; many nets train faster.
        validation: Fraction of the training images used for validation, unless `fit(validation=...)` gives a set;
            in [0, 1).
        split: Which images are used for validation: `stratified` by class, at `random`, or `ordered` (the last ones).
        shuffle: Use a new random order of the training images in each epoch.
        keep: Which weights `fit` leaves in the model: of the `last` epoch, or of the `best` one by `monitor`.
        monitor: A column of the history, such as `val_loss` or `val_accuracy`.
        patience: Stop after this many epochs without a better `monitor`, and keep the best weights; None never stops.
        time_limit: Stop after this many seconds; None never stops.
        objective: For generators: `classic` cross-entropy or `hinge`; see `zoo.tasks.generation`.
        seed: Seed of order, augmentation and dropout; None uses the model's seed.
    """

    epochs: int = _number_field(1, default=10, whole=True)
    batch_size: int = _number_field(1, default=64, whole=True)
    optimizer: str = _choice_field(*OPTIMIZERS)
    lr: float = _number_field(0, default=1e-3, above=True)
    momentum: float = _number_field(0, 1, default=0.0)
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = _number_field(0, default=0.0)
    schedule: str = _choice_field(*SCHEDULES)
    step_size: int = _number_field(1, default=10, whole=True)
    gamma: float = _number_field(0, 1, default=0.1, above=True)
    warmup: float = _number_field(0, default=0.0)
    clip: float | None = _number_field(0, default=None, above=True)
    accumulate: int = _number_field(1, default=1, whole=True)
    label_smoothing: float = _number_field(0, 0.999, default=0.0)
    class_weights: tuple[float, ...] | str | None = None
    mixup: float = _number_field(0, default=0.0)
    cutmix: float = _number_field(0, default=0.0)
    augment: tuple[str, ...] = ()
    ema: float = _number_field(0, 0.999999, default=0.0)
    precision: str = _choice_field(*PRECISIONS)
    compile: bool = False
    kernels: str = _choice_field(*KERNELS)
    channels_last: bool = False
    validation: float = _number_field(0, 0.99, default=0.0)
    split: str = _choice_field("stratified", "random", "ordered")
    shuffle: bool = True
    keep: str = _choice_field("last", "best")
    monitor: str = "val_loss"
    patience: int | None = _number_field(1, default=None, whole=True)
    time_limit: float | None = _number_field(0, default=None, above=True)
    seed: int | None = _number_field(0, 2**63 - 1, default=None, whole=True)
    objective: str = _choice_field(*OBJECTIVES)

    def __post_init__(self) -> None:
        """Validate every field; a list is accepted for a tuple.

        Raises:
            ConfigError: A value is out of range or of the wrong type.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not each.default:
                object.__setattr__(self, each.name, _coerce_value(each.name, value, each.default, each.metadata))
        _check_class_weights(self.class_weights)
        if self.nesterov and (self.optimizer != "sgd" or self.momentum == 0):
            raise ConfigError("nesterov needs optimizer='sgd' and a momentum above 0")

    @property
    def uses_validation(self) -> bool:
        """Whether validation scores decide which weights are kept, when to stop, or the learning rate."""
        return self.keep == "best" or self.patience is not None or self.schedule == "plateau"

    def replace(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed.

        Raises:
            ConfigError: A recipe does not have that field, or the value is out of range.
        """
        known = [each.name for each in fields(self)]
        for name in changes:
            if name not in known:
                raise ConfigError(
                    f"a recipe has no field {name!r}{did_you_mean(name, known)}; it has {join_names(known, 40)}"
                )
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {each.name: _to_json_value(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Recipe:
        """Create a recipe from what `to_json` returned; missing fields get their defaults."""
        return cls().replace(**record)


def _to_json_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _coerce_value(name: str, value: Any, default: Any, rule: Mapping[str, Any]) -> Any:
    """Return `value` in the type of its field, or raise."""
    if "choices" in rule:
        if value not in rule["choices"]:
            suggestion = did_you_mean(str(value), rule["choices"])
            raise ConfigError(f"{name} is one of {join_names(rule['choices'])}, not {value!r}{suggestion}")
        return value
    if "low" in rule:
        return None if value is None and default is None else _coerce_number(name, value, rule)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is True or False, not {value!r}")
        return value
    return _coerce_other(name, value)


def _coerce_number(name: str, value: Any, rule: Mapping[str, Any]) -> int | float:
    noun = "a whole number" if rule["whole"] else "a number"
    low, high = rule["low"], rule["high"]
    span = f"{'above' if rule['above'] else 'at least'} {low:g}" + (f" and at most {high:g}" if high < math.inf else "")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_inside = is_number and low <= value <= min(high, MAX_FLOAT) and not (rule["above"] and value == low)
    if not is_inside or (rule["whole"] and value != int(value)):
        raise ConfigError(f"{name} is {noun} {span}, not {value!r}")
    return int(value) if rule["whole"] else float(value)


def _coerce_other(name: str, value: Any) -> Any:
    if name == "augment":
        names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else (None,)
        if not all(isinstance(each, str) for each in names):
            raise ConfigError(f"augment is names such as 'flip' or 'shift:2', not {value!r}")
        return names
    if name == "betas":
        pair = tuple(value) if isinstance(value, list | tuple) else ()
        if len(pair) != 2 or not all(isinstance(b, int | float) and 0 <= b < 1 for b in pair):
            raise ConfigError(f"betas is two numbers in [0, 1), not {value!r}")
        return pair
    if name == "monitor" and not isinstance(value, str):
        raise ConfigError(f"monitor is the name of a history column, not {value!r}")
    return tuple(value) if isinstance(value, list) else value


def _check_class_weights(weights: Any) -> None:
    if weights is None or (isinstance(weights, str) and weights == "balanced"):
        return
    is_numbers = isinstance(weights, tuple) and all(isinstance(w, int | float) and 0 <= w <= MAX_FLOAT for w in weights)
    if not is_numbers or not any(weights):
        raise ConfigError(
            f"class_weights is None, 'balanced' or one non-negative number a class, some above 0, not {weights!r}"
        )
