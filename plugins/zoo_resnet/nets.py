"""ResNet-18, -34, -50 and -101 with torchvision's names of layers, so that its weights and timm's fit."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from zoo_resnet.blocks import check_size, compute_strides, conv, init_kaiming

Stem = Literal["small", "own"]


def _make_shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """Return what brings the input to the output's shape; None where it has it."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(conv(inputs, outputs, 1, stride=stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016, figure 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(inputs, width, 3, stride=stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _make_shortcut(inputs, width, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, width, H / stride, W / stride)."""
        kept = maps if self.downsample is None else self.downsample(maps)
        maps = self.bn1(self.conv1(maps)).relu()
        added: Tensor = self.bn2(self.conv2(maps)) + kept
        return added.relu()


class Bottleneck(nn.Module):
    """1 x 1 down, 3 x 3, 1 x 1 up, and a shortcut (figure 5 right; the 3 x 3 has the stride, as in torchvision)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _make_shortcut(inputs, outputs, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, 4 width, H / stride, W / stride)."""
        kept = maps if self.downsample is None else self.downsample(maps)
        maps = self.bn1(self.conv1(maps)).relu()
        maps = self.bn2(self.conv2(maps)).relu()
        added: Tensor = self.bn3(self.conv3(maps)) + kept
        return added.relu()


class ResNet(nn.Module):
    """Stem, four stages of blocks, mean over the map, linear (He et al. 2016, table 1).

    Args:
        name: What it is called in messages.
        block: The kind of block.
        depths: Blocks of each stage.
        size: Height and width, at least 7.
        channels: Image channels.
        classes: Number of classes, K.
        width: Channels of the first stage; each further stage has twice as many.
        stem: `small` is one 3 x 3 convolution that keeps the image whole (section 4.2); `own` is the original: 7 x 7
            with stride 2 and a max-pool, for large images and for weights that were trained so.
    """

    def __init__(
        self,
        name: str,
        block: type[BasicBlock | Bottleneck],
        depths: tuple[int, int, int, int],
        *,
        size: tuple[int, int],
        channels: int,
        classes: int,
        width: int,
        stem: Stem,
    ) -> None:
        super().__init__()
        check_size(size, name)
        if stem == "small":
            self.conv1 = conv(channels, width, 3)
            self.maxpool: nn.Module = nn.Identity()
            steps = compute_strides(size, 4)
        else:
            self.conv1 = conv(channels, width, 7, stride=2)
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
            steps = [1, 2, 2, 2]
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for place, (depth, stride) in enumerate(zip(depths, steps, strict=True)):
            own = width * 2**place
            parts = [block(own * block.expansion if k else inputs, own, 1 if k else stride) for k in range(depth)]
            self.add_module(f"layer{place + 1}", nn.Sequential(*parts))
            inputs = own * block.expansion
        self.fc = nn.Linear(inputs, classes)
        init_kaiming(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        maps = self.maxpool(self.bn1(self.conv1(images)).relu())
        for place in range(4):
            maps = self.get_submodule(f"layer{place + 1}")(maps)
        logits: Tensor = self.fc(maps.mean((2, 3)))
        return logits


def resnet_18(
    size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 64, stem: Stem = "small"
) -> ResNet:
    """Build ResNet-18; the options are those of `ResNet`."""
    depths = (2, 2, 2, 2)
    return ResNet(
        "resnet-18", BasicBlock, depths, size=size, channels=channels, classes=classes, width=width, stem=stem
    )


def resnet_34(
    size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 64, stem: Stem = "small"
) -> ResNet:
    """Build ResNet-34; the options are those of `ResNet`."""
    depths = (3, 4, 6, 3)
    return ResNet(
        "resnet-34", BasicBlock, depths, size=size, channels=channels, classes=classes, width=width, stem=stem
    )


def resnet_50(
    size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 64, stem: Stem = "small"
) -> ResNet:
    """Build ResNet-50; the options are those of `ResNet`."""
    depths = (3, 4, 6, 3)
    return ResNet(
        "resnet-50", Bottleneck, depths, size=size, channels=channels, classes=classes, width=width, stem=stem
    )


def resnet_101(
    size: tuple[int, int], channels: int = 3, classes: int = 10, width: int = 64, stem: Stem = "small"
) -> ResNet:
    """Build ResNet-101; the options are those of `ResNet`."""
    depths = (3, 4, 23, 3)
    return ResNet(
        "resnet-101", Bottleneck, depths, size=size, channels=channels, classes=classes, width=width, stem=stem
    )
