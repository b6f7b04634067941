"""Define WRN-16-4: few, wide, pre-activation blocks (Zagoruyko and Komodakis 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_resnet.blocks import check_size, compute_strides, conv, init_kaiming


class WideBlock(nn.Module):
    """Batch normalisation, ReLU and a 3 x 3 convolution, twice (figure 1d without dropout).

    The shortcut is the input, or if the shape changes a 1 x 1 convolution of the input after normalisation and ReLU.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, width, 3, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.shortcut = None if inputs == width and stride == 1 else conv(inputs, width, 1, stride=stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, width, H / stride, W / stride)."""
        active = self.bn1(maps).relu()
        shortcut = maps if self.shortcut is None else self.shortcut(active)
        added: Tensor = self.conv2(self.bn2(self.conv1(active)).relu()) + shortcut
        return added


class WideResNet(nn.Module):
    """A 3 x 3 convolution, three stages of n blocks, normalise, ReLU, mean, linear: 6n + 4 layers (table 1).

    Args:
        name: The model's name, for messages.
        blocks: Blocks of each stage, n.
        widen: How many times wider than 16, 32, 64 channels the stages are, k.
        size: Height and width, at least 7.
        channels: Image channels.
        classes: Number of classes, K.
    """

    def __init__(
        self, name: str, blocks: int, *, widen: int, size: tuple[int, int], channels: int, classes: int
    ) -> None:
        super().__init__()
        check_size(size, name)
        self.conv1 = conv(channels, 16, 3)
        inputs, parts = 16, []
        for stage, stride in enumerate(compute_strides(size, 3)):
            for number in range(blocks):
                parts.append(WideBlock(inputs, 16 * 2**stage * widen, stride if number == 0 else 1))
                inputs = 16 * 2**stage * widen
        self.blocks = nn.Sequential(*parts)
        self.bn = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs, classes)
        init_kaiming(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        maps = self.bn(self.blocks(self.conv1(images))).relu()
        logits: Tensor = self.fc(maps.mean((2, 3)))
        return logits


def wrn_16_4(size: tuple[int, int], channels: int = 3, classes: int = 10, widen: int = 4) -> WideResNet:
    """Build WRN-16-4; the options are those of `WideResNet`."""
    return WideResNet("wrn-16-4", 2, widen=widen, size=size, channels=channels, classes=classes)
