"""Fit loaded tensors to a model of other classes, channels or image size, and say what became of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial as partial_of

import torch
from torch import Tensor

from zoo.errors import WeightsError, listed
from zoo.signature import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the shapes of a net's tensors depend on."""

    size: tuple[int, int]
    channels: int
    classes: int


@dataclass(frozen=True, kw_only=True)
class Report:
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


def adapted(
    state: Mapping[str, Tensor],
    onto: Mapping[str, Tensor],
    *,
    source: Form,
    target: Form,
    std: tuple[float, ...] = (1.0,),
    drawing: str = "",
    partial: bool = False,
    name: str,
) -> tuple[dict[str, Tensor], Report]:
    """Return tensors for a model whose own are `onto`, made from those of a file, and the report.

    A head for another number of classes is left as the model has it. The first layer is spread over other channels:
    each new channel that repeats an old one takes its share, so that a picture which repeats its channels in the same
    way (grey as red, green and blue) gives equal logits. Whatever else does not fit is an error unless `partial`.

    Args:
        state: Tensors of the file.
        onto: The model's own tensors; what is not taken from the file stays so.
        source: What the file's shapes depend on.
        target: What the model's shapes depend on.
        std: Standard deviations the file's first layer was trained with, one or one a channel.
        drawing: Prefix of the tensors that make images, where others read them: a new channel repeats an old one whole.
        partial: Leave what does not fit as the model has it, instead of raising.
        name: The file, for messages.

    Raises:
        WeightsError: Tensors are missing, unexpected, or of another shape or type, and `partial` is off.
    """
    taken: dict[str, Tensor] = {}
    changed: dict[str, str] = {}
    left: dict[str, str] = {}
    unfit: dict[str, str] = {}
    for key, own in onto.items():
        given = state.get(key)
        if given is None:
            unfit[key] = "missing"
        elif given.dtype != own.dtype:
            unfit[key] = f"{_kind(given)} in the file and {_kind(own)} in the model"
        elif given.shape == own.shape:
            taken[key] = given
        elif _is_head(given, own, source, target):
            left[key] = f"made for {source.classes} classes, the model has {target.classes}"
        elif _is_stem(given, own, source, target):
            axis = _changed_axis(given, own) or 0
            spread = repeated if drawing and key.startswith(drawing) else partial_of(respread, std=std)
            taken[key] = spread(given, source.channels, target.channels, axis=axis)
            changed[key] = f"spread from {source.channels} to {target.channels} channels"
        else:
            unfit[key] = f"{tuple(given.shape)} in the file and {tuple(own.shape)} in the model"
    unexpected = tuple(key for key in state if key not in onto)
    if (unfit or unexpected) and not partial:
        raise WeightsError(_unfit(name, unfit, unexpected, source, target))
    report = Report(
        loaded=tuple(key for key in taken if key not in changed),
        adapted=changed,
        reinitialised={**left, **unfit},
        missing=tuple(key for key, why in unfit.items() if why == "missing"),
        unexpected=unexpected,
    )
    return {key: taken.get(key, own) for key, own in onto.items()}, report


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _is_head(given: Tensor, own: Tensor, source: Form, target: Form) -> bool:
    """Return whether a tensor has a row, or a column, a class."""
    axis = _changed_axis(given, own)
    return axis is not None and (given.shape[axis], own.shape[axis]) == (source.classes, target.classes)


def _is_stem(given: Tensor, own: Tensor, source: Form, target: Form) -> bool:
    """Return whether a tensor reads the image: one of its axes is a multiple of the channels in file and model."""
    axis = _changed_axis(given, own)
    if axis is None or given.ndim < 2 or source.channels == target.channels:
        return False
    times, rest = divmod(given.shape[axis], source.channels)
    return rest == 0 and own.shape[axis] == times * target.channels


def _changed_axis(given: Tensor, own: Tensor) -> int | None:
    """Return the one axis in which two shapes differ, or None if it is not just one."""
    if given.ndim != own.ndim:
        return None
    changed = [axis for axis, (a, b) in enumerate(zip(given.shape, own.shape, strict=True)) if a != b]
    return changed[0] if len(changed) == 1 else None


def respread(weight: Tensor, source: int, target: int, *, axis: int = 1, std: tuple[float, ...] = (1.0,)) -> Tensor:
    """Return a first layer with `axis` of source * K entries for `target` channels: target * K entries.

    New channel j repeats old channel j modulo `source` and takes an equal share of its weight; with fewer channels,
    each takes the sum of those it stands for. So with x' that repeats x's channels in turn, w' x' = w x.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source, -1)).double()  # (source, K, ...)
    across = (-1, *[1] * (parts.ndim - 1))
    places = torch.arange(max(source, target))
    if target > source:
        shares = torch.bincount(places % source).double().view(across)
        spread = (parts / shares)[places % source]
    else:
        stds = torch.tensor(std if len(std) == source else std * source).double().view(across)
        new_std = torch.tensor(_folded(std, source, target)).double().view(across)
        spread = torch.zeros_like(parts[:target]).index_add_(0, places % target, parts / stds) * new_std
    whole: Tensor = spread.flatten(0, 1).movedim(0, axis)
    return whole.to(weight.dtype).contiguous()


def repeated(weight: Tensor, source: int, target: int, *, axis: int = 1) -> Tensor:
    """Return a last layer with `axis` of source * K entries for images of `target` channels.

    New channel j repeats old channel j modulo `source`; with fewer channels, each is the mean of those it stands for.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source, -1)).double()  # (source, K, ...)
    places = torch.arange(max(source, target))
    if target > source:
        spread = parts[places % source]
    else:
        shares = torch.bincount(places % target).double().view(-1, *[1] * (parts.ndim - 1))
        spread = torch.zeros_like(parts[:target]).index_add_(0, places % target, parts) / shares
    whole: Tensor = spread.flatten(0, 1).movedim(0, axis)
    return whole.to(weight.dtype).contiguous()


def _folded(values: tuple[float, ...], source: int, target: int) -> tuple[float, ...]:
    """Return one value a new channel: repeated in turn, or the mean of those it stands for."""
    every = values if len(values) == source else values * source
    if target > source:
        return tuple(every[place % source] for place in range(target))
    groups = [every[place::target] for place in range(target)]
    return tuple(sum(group) / len(group) for group in groups)


def preprocessing_for(source: Preprocessing, target: Preprocessing) -> Preprocessing:
    """Return the target's preprocessing with the mean and std the weights were trained with."""
    if source.channels == target.channels:
        return replace(target, mean=source.mean, std=source.std)
    mean, std = (_folded(values, source.channels, target.channels) for values in (source.mean, source.std))
    return replace(target, mean=mean, std=std)


def _unfit(name: str, unfit: Mapping[str, str], unexpected: Collection[str], source: Form, target: Form) -> str:
    told = [f"{key} is {why}" for key, why in unfit.items()]
    told += [f"{key} is unexpected" for key in unexpected]
    sizes = f"; it was made for images of {source.size}, the model is for {target.size}"
    return (
        f"{name} does not fit the model: {listed(told, 6)}{sizes if source.size != target.size else ''}; "
        "partial=True takes what fits and leaves the rest as it is"
    )
