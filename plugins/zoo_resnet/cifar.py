"""Define ResNet-20 and -56: three narrow stages with shortcuts without weights (He et al. 2016, section 4.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_resnet.blocks import check_size, compute_strides, conv, init_kaiming


class PlainShortcutBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut that drops pixels and pads channels with zeros (option A)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(inputs, width, 3, stride=stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.extra_channels = stride, width - inputs

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, width, H / stride, W / stride)."""
        shortcut = F.pad(maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra_channels))
        maps = self.bn1(self.conv1(maps)).relu()
        added: Tensor = self.bn2(self.conv2(maps)) + shortcut
        return added.relu()


class CifarResNet(nn.Module):
    """A 3 x 3 convolution, three stages of n blocks, mean over the map, linear: 6n + 2 layers.

    Args:
        name: The model's name, for messages.
        blocks: Blocks of each stage, n.
        size: Height and width, at least 7.
        channels: Image channels.
        classes: Number of classes, K.
        width: Channels of the first stage; each further stage has twice as many.
    """

    def __init__(
        self, name: str, blocks: int, *, size: tuple[int, int], channels: int, classes: int, width: int
    ) -> None:
        super().__init__()
        check_size(size, name)
        self.conv1 = conv(channels, width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        inputs, parts = width, []
        for stage, stride in enumerate(compute_strides(size, 3)):
            for number in range(blocks):
                parts.append(PlainShortcutBlock(inputs, width * 2**stage, stride if number == 0 else 1))
                inputs = width * 2**stage
        self.blocks = nn.Sequential(*parts)
        self.fc = nn.Linear(inputs, classes)
        init_kaiming(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        maps = self.blocks(self.bn1(self.conv1(images)).relu())
        logits: Tensor = self.fc(maps.mean((2, 3)))
        return logits


def resnet_20(size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 16) -> CifarResNet:
    """Build ResNet-20; the options are those of `CifarResNet`."""
    return CifarResNet("resnet-20", 3, size=size, channels=channels, classes=classes, width=width)


def resnet_56(size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 16) -> CifarResNet:
    """Build ResNet-56; the options are those of `CifarResNet`."""
    return CifarResNet("resnet-56", 9, size=size, channels=channels, classes=classes, width=width)
