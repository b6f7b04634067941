"""Define ResNet-18, -34, -50 and -101 with torchvision's layer names, so that its weights and timm's can be loaded."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from zoo_resnet.blocks import check_size, compute_strides, conv, init_kaiming

Stem = Literal["small", "own"]


def _make_shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """Return a projection from the input's shape to the output's; None if they are equal."""
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
        shortcut = maps if self.downsample is None else self.downsample(maps)
        maps = self.bn1(self.conv1(maps)).relu()
        added: Tensor = self.bn2(self.conv2(maps)) + shortcut
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
        shortcut = maps if self.downsample is None else self.downsample(maps)
        maps = self.bn1(self.conv1(maps)).relu()
        maps = self.bn2(self.conv2(maps)).relu()
        added: Tensor = self.bn3(self.conv3(maps)) + shortcut
        return added.relu()


class ResNet(nn.Module):
    """Stem, four stages of blocks, mean over the map, linear (He et al. 2016, table 1).

    Args:
        name: The model's name, for messages.
        block: The class of the blocks.
        depths: Blocks of each stage.
        size: Height and width, at least 7.
        channels: Image channels.
        classes: Number of classes, K.
        width: Channels of the first stage; each further stage has twice as many.
        stem: `small` is one 3 x 3 convolution that does not reduce the image (section 4.2). `own` is the original stem,
            a 7 x 7 convolution with stride 2 and a max-pool, for large images and for published weights.
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
            strides = compute_strides(size, 4)
        else:
            self.conv1 = conv(channels, width, 7, stride=2)
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
            strides = [1, 2, 2, 2]
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage, (depth, stride) in enumerate(zip(depths, strides, strict=True)):
            stage_width = width * 2**stage
            expanded = stage_width * block.expansion
            parts = [block(expanded if k else inputs, stage_width, 1 if k else stride) for k in range(depth)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*parts))
            inputs = expanded
        self.fc = nn.Linear(inputs, classes)
        init_kaiming(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        maps = self.maxpool(self.bn1(self.conv1(images)).relu())
        for stage in range(4):
            maps = self.get_submodule(f"layer{stage + 1}")(maps)
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
