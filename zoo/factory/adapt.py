"""Adapt loaded tensors to a model with other classes, channels or image size, and report what happened to each.

`adapt_state_dict` is the entry point. `IOShape` describes the file and the model, `LoadReport` the result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from zoo.device import format_dtype
from zoo.errors import WeightsError, join_names
from zoo.factory.channels import fold_channels, repeat_output_channels, spread_input_channels
from zoo.signature import Preprocessing


@dataclass(frozen=True, kw_only=True)
class IOShape:
    """The image size, channels and classes that the shapes of a net's tensors depend on."""

    size: tuple[int, int]
    channels: int
    num_classes: int


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What happened to each tensor.

    Args:
        loaded: Loaded unchanged.
        adapted: Loaded after a change, with the change.
        reinitialised: Left as the model's seed made them, with the reason.
        missing: Not in the file; also in `reinitialised`.
        unexpected: In the file but not in the model; ignored.
        difference: Largest change of a logit caused by the new channels, on images that show the same in the old and
            the new channels, as a fraction of the largest logit; None if the channels are the same.
    """

    loaded: tuple[str, ...] = ()
    adapted: Mapping[str, str] = field(default_factory=dict)
    reinitialised: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    difference: float | None = None

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors loaded unchanged"]
        lines += [f"{name}: adapted, {change}" for name, change in self.adapted.items()]
        lines += [f"{name}: re-initialised, {reason}" for name, reason in self.reinitialised.items()]
        lines += [f"{name}: not in the model, ignored" for name in self.unexpected]
        if self.difference is not None:
            lines.append(f"images that show the same in the new channels: logits within {self.difference:.1e}")
        return "\n".join(lines)


def adapt_state_dict(
    state: Mapping[str, Tensor],
    target_state: Mapping[str, Tensor],
    *,
    source_shape: IOShape,
    target_shape: IOShape,
    std: tuple[float, ...] = (1.0,),
    output_prefix: str = "",
    partial: bool = False,
    name: str,
) -> tuple[dict[str, Tensor], LoadReport]:
    """Return the tensors of a file, adapted to a model, and a report.

    With other classes, the model keeps its own head. With other channels, each new channel of the first layer repeats
    an old one and takes an equal part of its weight: an image that repeats its channels in the same way (grey as red,
    green and blue) gives equal logits. Any other mismatch is an error unless `partial`.

    Args:
        state: Tensors of the file.
        target_state: Tensors of the model; those that cannot be loaded are returned unchanged.
        source_shape: Image size, channels and classes of the file.
        target_shape: Image size, channels and classes of the model.
        std: Standard deviations that the file's first layer was trained with, one or one per channel.
        output_prefix: Prefix of the tensors that make images instead of reading them; their new channels repeat old
            ones at full weight.
        partial: Keep the model's tensors where the file's do not fit, instead of raising.
        name: The file, for messages.

    Raises:
        WeightsError: Tensors are missing, unexpected, or of another shape or dtype, and `partial` is off.
    """
    adaptation = _Adaptation(source_shape, target_shape)
    for key, target in target_state.items():
        is_output = bool(output_prefix) and key.startswith(output_prefix)
        adaptation.add(key, state.get(key), target, None if is_output else std)
    unexpected = tuple(key for key in state if key not in target_state)
    if (adaptation.mismatches or unexpected) and not partial:
        raise WeightsError(_mismatch_message(name, adaptation.mismatches, unexpected, source_shape, target_shape))
    adapted = {key: adaptation.tensors.get(key, target) for key, target in target_state.items()}
    return adapted, adaptation.make_report(unexpected)


class _Adaptation:
    """The tensors that fit the model so far, and what happened to each: the text by name."""

    def __init__(self, source_shape: IOShape, target_shape: IOShape) -> None:
        self.source_shape, self.target_shape = source_shape, target_shape
        self.tensors: dict[str, Tensor] = {}
        self.changes: dict[str, str] = {}
        self.kept_heads: dict[str, str] = {}
        self.mismatches: dict[str, str] = {}

    def add(self, key: str, saved: Tensor | None, target: Tensor, std: tuple[float, ...] | None) -> None:
        """Take a tensor of the file as it is or adapted, or note why it does not fit."""
        source_shape, target_shape = self.source_shape, self.target_shape
        if saved is None or saved.dtype != target.dtype:
            self.mismatches[key] = _describe_mismatch(saved, target)
        elif saved.shape == target.shape:
            self.tensors[key] = saved
        elif _is_head(saved, target, source_shape, target_shape):
            text = f"made for {source_shape.num_classes} classes, the model has {target_shape.num_classes}"
            self.kept_heads[key] = text
        elif _is_stem(saved, target, source_shape, target_shape):
            self.tensors[key] = _spread_channels(saved, target, source_shape, target_shape, std)
            self.changes[key] = f"spread from {source_shape.channels} to {target_shape.channels} channels"
        else:
            self.mismatches[key] = _describe_mismatch(saved, target)

    def make_report(self, unexpected: tuple[str, ...]) -> LoadReport:
        """Return the report of all tensors."""
        return LoadReport(
            loaded=tuple(key for key in self.tensors if key not in self.changes),
            adapted=self.changes,
            reinitialised={**self.kept_heads, **self.mismatches},
            missing=tuple(key for key, reason in self.mismatches.items() if reason == "missing"),
            unexpected=unexpected,
        )


def _describe_mismatch(saved: Tensor | None, target: Tensor) -> str:
    if saved is None:
        return "missing"
    if saved.dtype != target.dtype:
        return f"{format_dtype(saved.dtype)} in the file and {format_dtype(target.dtype)} in the model"
    return f"{tuple(saved.shape)} in the file and {tuple(target.shape)} in the model"


def _is_head(saved: Tensor, target: Tensor, source_shape: IOShape, target_shape: IOShape) -> bool:
    """Return whether a tensor has one row, or one column, per class."""
    axis = _find_changed_axis(saved, target)
    return axis is not None and (saved.shape[axis], target.shape[axis]) == (
        source_shape.num_classes,
        target_shape.num_classes,
    )


def _is_stem(saved: Tensor, target: Tensor, source_shape: IOShape, target_shape: IOShape) -> bool:
    """Return whether one axis of a tensor is the same multiple of the channels in the file and in the model."""
    axis = _find_changed_axis(saved, target)
    if axis is None or saved.ndim < 2 or source_shape.channels == target_shape.channels:
        return False
    factor, rest = divmod(saved.shape[axis], source_shape.channels)
    return rest == 0 and target.shape[axis] == factor * target_shape.channels


def _find_changed_axis(saved: Tensor, target: Tensor) -> int | None:
    """Return the one axis in which two shapes differ, or None if they differ in none or in several."""
    if saved.ndim != target.ndim:
        return None
    axes = [axis for axis, (a, b) in enumerate(zip(saved.shape, target.shape, strict=True)) if a != b]
    return axes[0] if len(axes) == 1 else None


def _spread_channels(
    saved: Tensor, target: Tensor, source_shape: IOShape, target_shape: IOShape, std: tuple[float, ...] | None
) -> Tensor:
    """Return a layer that reads images (`std` is given), or makes them, for the channels of the model."""
    axis = _find_changed_axis(saved, target) or 0
    if std is None:
        return repeat_output_channels(saved, source_shape.channels, target_shape.channels, axis=axis)
    return spread_input_channels(saved, source_shape.channels, target_shape.channels, axis=axis, std=std)


def adapt_preprocessing(source: Preprocessing, target: Preprocessing) -> Preprocessing:
    """Return the target's preprocessing with the mean and std that the weights were trained with."""
    if source.channels == target.channels:
        return replace(target, mean=source.mean, std=source.std)
    mean, std = (fold_channels(values, source.channels, target.channels) for values in (source.mean, source.std))
    return replace(target, mean=mean, std=std)


def _mismatch_message(
    name: str, mismatches: Mapping[str, str], unexpected: Collection[str], source_shape: IOShape, target_shape: IOShape
) -> str:
    problems = [f"{key} is {reason}" for key, reason in mismatches.items()]
    problems += [f"{key} is unexpected" for key in unexpected]
    sizes = f"; it was made for images of {source_shape.size}, the model is for {target_shape.size}"
    return (
        f"{name} does not fit the model: {join_names(problems, 6)}"
        f"{sizes if source_shape.size != target_shape.size else ''}; "
        "partial=True loads what fits and leaves the rest as it is"
    )
