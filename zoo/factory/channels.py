"""Spread the first and last layer of a net over another number of image channels."""

from __future__ import annotations

import torch
from torch import Tensor


def spread_input_channels(
    weight: Tensor, source_channels: int, target_channels: int, *, axis: int = 1, std: tuple[float, ...] = (1.0,)
) -> Tensor:
    """Return a first layer for another number of channels.

    New channel j repeats old channel j modulo `source_channels` and takes an equal part of its weight. With fewer
    channels, each takes the sum of the channels it replaces. So if x' repeats the channels of x in turn, w' x' = w x.

    Args:
        weight: The layer; `axis` has source * K entries.
        source_channels: Channels of the layer.
        target_channels: Channels of the result; its `axis` has target * K entries.
        axis: The axis of the channels.
        std: Standard deviations that the layer was trained with, one or one per channel.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source_channels, -1)).double()  # (source, K, ...)
    per_channel = (-1, *[1] * (parts.ndim - 1))
    channels = torch.arange(max(source_channels, target_channels))
    if target_channels > source_channels:
        counts = torch.bincount(channels % source_channels).double().view(per_channel)
        channels_out = (parts / counts)[channels % source_channels]
    else:
        stds = torch.tensor(std if len(std) == source_channels else std * source_channels).double().view(per_channel)
        new_std = torch.tensor(fold_channels(std, source_channels, target_channels)).double().view(per_channel)
        sums = torch.zeros_like(parts[:target_channels]).index_add_(0, channels % target_channels, parts / stds)
        channels_out = sums * new_std
    return _merge_channels(channels_out, axis, weight.dtype)


def repeat_output_channels(weight: Tensor, source_channels: int, target_channels: int, *, axis: int = 1) -> Tensor:
    """Return a last layer for images with another number of channels.

    New channel j repeats old channel j modulo `source_channels`. With fewer channels, each is the mean of the channels
    it replaces.

    Args:
        weight: The layer; `axis` has source * K entries.
        source_channels: Channels of the layer.
        target_channels: Channels of the result; its `axis` has target * K entries.
        axis: The axis of the channels.
    """
    parts = weight.movedim(axis, 0).unflatten(0, (source_channels, -1)).double()  # (source, K, ...)
    channels = torch.arange(max(source_channels, target_channels))
    if target_channels > source_channels:
        channels_out = parts[channels % source_channels]
    else:
        counts = torch.bincount(channels % target_channels).double().view(-1, *[1] * (parts.ndim - 1))
        sums = torch.zeros_like(parts[:target_channels]).index_add_(0, channels % target_channels, parts)
        channels_out = sums / counts
    return _merge_channels(channels_out, axis, weight.dtype)


def _merge_channels(channels: Tensor, axis: int, dtype: torch.dtype) -> Tensor:
    """Return channels (C, K, ...) as a layer whose `axis` has C * K entries."""
    layer: Tensor = channels.flatten(0, 1).movedim(0, axis)
    return layer.to(dtype).contiguous()


def fold_channels(values: tuple[float, ...], source_channels: int, target_channels: int) -> tuple[float, ...]:
    """Return one value per new channel: old values in turn, or the mean of the channels that it replaces."""
    per_channel = values if len(values) == source_channels else values * source_channels
    if target_channels > source_channels:
        return tuple(per_channel[channel % source_channels] for channel in range(target_channels))
    groups = [per_channel[channel::target_channels] for channel in range(target_channels)]
    return tuple(sum(group) / len(group) for group in groups)
