"""Fit loaded tensors to a model of other classes, channels or image size, and say what became of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial as partial_of

import torch
from torch import Tensor

from zoo.errors import WeightsError, join_names
from zoo.signature import Preprocessing


@dataclass(frozen=True, kw_only=True)
class IOShape:
    """What the shapes of a net's tensors depend on."""

    size: tuple[int, int]
    channels: int
    num_classes: int


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What became of each tensor.

    Args:
        loaded: Taken as they are.
        adapted: Taken after a change, with what was changed.
        reinitialised: Left as the model's seed made them, with the reason.
        missing: Not in the file; also among `reinitialised`.
        unexpected: In the file, and not in the model; left out.
        difference: Largest change of a logit that the new channels cause on images which show the same in the old and
            the new channels, as a share of the largest logit; None where the channels are the same.
    """

    loaded: tuple[str, ...] = ()
    adapted: Mapping[str, str] = field(default_factory=dict)
    reinitialised: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    difference: float | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every tensor was taken as it is, and none was left over."""
        return not (self.adapted or self.reinitialised or self.unexpected)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors loaded as they are"]
        lines += [f"{name}: adapted, {how}" for name, how in self.adapted.items()]
        lines += [f"{name}: re-initialised, {why}" for name, why in self.reinitialised.items()]
        lines += [f"{name}: not in the model, left out" for name in self.unexpected]
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
    """Return tensors for a model whose own are `target_state`, made from those of a file, and the report.

    A head for another number of classes is left as the model has it. The first layer is spread over other channels:
    each new channel that repeats an old one takes its share, so that a picture which repeats its channels in the same
    way (grey as red, green and blue) gives equal logits. Whatever else does not fit is an error unless `partial`.

    Args:
        state: Tensors of the file.
        target_state: The model's own tensors; what is not taken from the file stays so.
        source_shape: What the file's shapes depend on.
        target_shape: What the model's shapes depend on.
        std: Standard deviations the file's first layer was trained with, one or one a channel.
        output_prefix: Prefix of the tensors that make images, where others read them: a new channel repeats an old one whole.
        partial: Leave what does not fit as the model has it, instead of raising.
        name: The file, for messages.

    Raises:
        WeightsError: Tensors are missing, unexpected, or of another shape or type, and `partial` is off.
    """
    taken: dict[str, Tensor] = {}
    changed: dict[str, str] = {}
    left: dict[str, str] = {}
    unfit: dict[str, str] = {}
    for key, own in target_state.items():
        given = state.get(key)
        if given is None:
            unfit[key] = "missing"
        elif given.dtype != own.dtype:
            unfit[key] = f"{_dtype_name(given)} in the file and {_dtype_name(own)} in the model"
        elif given.shape == own.shape:
            taken[key] = given
        elif _is_head(given, own, source_shape, target_shape):
            left[key] = f"made for {source_shape.num_classes} classes, the model has {target_shape.num_classes}"
        elif _is_stem(given, own, source_shape, target_shape):
            axis = _changed_axis(given, own) or 0
            spread = (
                repeat_output_channels
                if output_prefix and key.startswith(output_prefix)
                else partial_of(spread_input_channels, std=std)
            )
            taken[key] = spread(given, source_shape.channels, target_shape.channels, axis=axis)
            changed[key] = f"spread from {source_shape.channels} to {target_shape.channels} channels"
        else:
            unfit[key] = f"{tuple(given.shape)} in the file and {tuple(own.shape)} in the model"
    unexpected = tuple(key for key in state if key not in target_state)
    if (unfit or unexpected) and not partial:
        raise WeightsError(_mismatch_message(name, unfit, unexpected, source_shape, target_shape))
    report = LoadReport(
        loaded=tuple(key for key in taken if key not in changed),
        adapted=changed,
        reinitialised={**left, **unfit},
        missing=tuple(key for key, why in unfit.items() if why == "missing"),
        unexpected=unexpected,
    )
    return {key: taken.get(key, own) for key, own in target_state.items()}, report


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _is_head(saved: Tensor, own: Tensor, source_shape: IOShape, target_shape: IOShape) -> bool:
    """Return whether a tensor has a row, or a column, a class."""
    axis = _changed_axis(saved, own)
    return axis is not None and (saved.shape[axis], own.shape[axis]) == (
        source_shape.num_classes,
        target_shape.num_classes,
    )


def _is_stem(saved: Tensor, own: Tensor, source_shape: IOShape, target_shape: IOShape) -> bool:
    """Return whether a tensor reads the image: one of its axes is a multiple of the channels in file and model."""
    axis = _changed_axis(saved, own)
    if axis is None or saved.ndim < 2 or source_shape.channels == target_shape.channels:
        return False
    times, rest = divmod(saved.shape[axis], source_shape.channels)
    return rest == 0 and own.shape[axis] == times * target_shape.channels


def _changed_axis(saved: Tensor, own: Tensor) -> int | None:
    """Return the one axis in which two shapes differ, or None if it is not just one."""
    if saved.ndim != own.ndim:
        return None
    changed = [axis for axis, (a, b) in enumerate(zip(saved.shape, own.shape, strict=True)) if a != b]
    return changed[0] if len(changed) == 1 else None


def spread_input_channels(
    weight: Tensor, source_channels: int, target_channels: int, *, axis: int = 1, std: tuple[float, ...] = (1.0,)
) -> Tensor:
    """Return a first layer with `axis` of source * K entries for `target_channels` channels: target * K entries.

    New channel j repeats old channel j modulo `source_channels` and takes an equal share of its weight; with fewer channels,
    each takes the sum of those it stands for. So with x' that repeats x's channels in turn, w' x' = w x.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source_channels, -1)).double()  # (source, K, ...)
    across = (-1, *[1] * (parts.ndim - 1))
    places = torch.arange(max(source_channels, target_channels))
    if target_channels > source_channels:
        shares = torch.bincount(places % source_channels).double().view(across)
        spread = (parts / shares)[places % source_channels]
    else:
        stds = torch.tensor(std if len(std) == source_channels else std * source_channels).double().view(across)
        new_std = torch.tensor(_fold_channels(std, source_channels, target_channels)).double().view(across)
        spread = (
            torch.zeros_like(parts[:target_channels]).index_add_(0, places % target_channels, parts / stds) * new_std
        )
    whole: Tensor = spread.flatten(0, 1).movedim(0, axis)
    return whole.to(weight.dtype).contiguous()


def repeat_output_channels(weight: Tensor, source_channels: int, target_channels: int, *, axis: int = 1) -> Tensor:
    """Return a last layer with `axis` of source * K entries for images of `target_channels` channels.

    New channel j repeats old channel j modulo `source_channels`; with fewer channels, each is the mean of those it stands for.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source_channels, -1)).double()  # (source, K, ...)
    places = torch.arange(max(source_channels, target_channels))
    if target_channels > source_channels:
        spread = parts[places % source_channels]
    else:
        shares = torch.bincount(places % target_channels).double().view(-1, *[1] * (parts.ndim - 1))
        spread = torch.zeros_like(parts[:target_channels]).index_add_(0, places % target_channels, parts) / shares
    whole: Tensor = spread.flatten(0, 1).movedim(0, axis)
    return whole.to(weight.dtype).contiguous()


def _fold_channels(values: tuple[float, ...], source_channels: int, target_channels: int) -> tuple[float, ...]:
    """Return one value a new channel: repeated in turn, or the mean of those it stands for."""
    every = values if len(values) == source_channels else values * source_channels
    if target_channels > source_channels:
        return tuple(every[place % source_channels] for place in range(target_channels))
    groups = [every[place::target_channels] for place in range(target_channels)]
    return tuple(sum(group) / len(group) for group in groups)


def adapt_preprocessing(source: Preprocessing, target: Preprocessing) -> Preprocessing:
    """Return the target's preprocessing with the mean and std the weights were trained with."""
    if source.channels == target.channels:
        return replace(target, mean=source.mean, std=source.std)
    mean, std = (_fold_channels(values, source.channels, target.channels) for values in (source.mean, source.std))
    return replace(target, mean=mean, std=std)


def _mismatch_message(
    name: str, mismatches: Mapping[str, str], unexpected: Collection[str], source_shape: IOShape, target_shape: IOShape
) -> str:
    told = [f"{key} is {why}" for key, why in mismatches.items()]
    told += [f"{key} is unexpected" for key in unexpected]
    sizes = f"; it was made for images of {source_shape.size}, the model is for {target_shape.size}"
    return (
        f"{name} does not fit the model: {join_names(told, 6)}{sizes if source_shape.size != target_shape.size else ''}; "
        "partial=True takes what fits and leaves the rest as it is"
    )
