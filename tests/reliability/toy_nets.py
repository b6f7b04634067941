"""Nets with what the first-party nets lack: mixed precision, tied weights, running statistics, float64 buffers."""

import torch
from torch import nn

from zoo import ModelSpec


class MixedNet(nn.Module):
    """A layer in half precision and a layer that keeps its own dtype."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.first = nn.Linear(channels * size[0] * size[1], 16)
        self.second = nn.Linear(16, classes)

    def forward(self, images):
        hidden = self.first(images.flatten(1).to(self.first.weight.dtype)).relu()
        return self.second(hidden.to(self.second.weight.dtype))


class TiedNet(nn.Module):
    """Two layers with one weight."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        width = channels * size[0] * size[1]
        self.down, self.up = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.up.weight = self.down.weight
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        return self.head(self.up(self.down(images.flatten(1)).relu()))


class NormNet(nn.Module):
    """Running statistics, an integer buffer, and a stored and a computed buffer in float64."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels * size[0] * size[1], classes)
        self.register_buffer("scale", torch.full((), 1 / 3, dtype=torch.float64))
        self.register_buffer("shift", torch.full((), 1 / 7, dtype=torch.float64), persistent=False)

    def forward(self, images):
        images = self.norm(images.to(self.norm.weight.dtype)).flatten(1)
        return self.head(((images.double() - self.shift) * self.scale).to(self.head.weight.dtype))


NETS = {"halved": MixedNet, "tied": TiedNet, "normed": NormNet}
SPECS = tuple(
    ModelSpec(name=f"toy-{name}", summary="a toy", build=f"toy_nets:{net.__name__}", size=(7, 7))
    for name, net in NETS.items()
)
