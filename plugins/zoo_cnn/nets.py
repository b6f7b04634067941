"""Define the convolutional networks, each as in its paper's figure."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.errors import ConfigError


def _check_size(size: tuple[int, int], minimum: int, name: str) -> None:
    if min(size) < minimum:
        raise ConfigError(f"{name} needs images of at least {minimum} x {minimum} pixels, not {size[0]} x {size[1]}")


class TinyCNN(nn.Module):
    """Two convolutions without pooling and two linear layers, for images of a few pixels.

    Args:
        size: Height and width.
        channels: Image channels.
        classes: Number of classes, K.
        widths: Channels after each convolution.
        hidden: Width of the linear layer.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 1,
        classes: int = 10,
        widths: tuple[int, int] = (32, 64),
        hidden: int = 128,
    ) -> None:
        super().__init__()
        first, second = widths
        self.features = nn.Sequential(
            nn.Conv2d(channels, first, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(second * size[0] * size[1], hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self.head(self.features(images))
        return logits


class PooledCNN(nn.Module):
    """Convolutions with batch normalisation and ReLU, global average pooling, one linear layer.

    Lin et al. 2014, "Network in network", section 3.2: the mean over all pixels replaces linear layers over the
    flattened map. So the net learns how parts lie relative to each other, and not where they are in the image.

    Args:
        size: Height and width; the weights do not depend on it.
        channels: Image channels.
        classes: Number of classes, K.
        widths: Channels after each convolution.
    """

    def __init__(
        self, size: tuple[int, int], channels: int = 1, classes: int = 10, widths: tuple[int, ...] = (30, 30, 30)
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise ConfigError(
                f"cnn-pooled-7x7 needs at least one convolution, each with at least one channel, not widths {widths}"
            )
        steps = zip((channels, *widths[:-1]), widths, strict=True)
        self.features = nn.Sequential(*(layer for step in steps for layer in _make_convolution(*step)))
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self.head(self.features(images).mean((2, 3)))
        return logits


def _make_convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()


class SimpleCNN(nn.Module):
    """Paper 2, figure 2.1: conv 3 x 3 to 16, ReLU, average pool 2, linear 3136 to 128 to K at 28 x 28.

    Args:
        size: Height and width, at least 2.
        channels: Image channels.
        classes: Number of classes, K.
    """

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        _check_size(size, 2, "cnn-simple")
        self.features = nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(16 * (size[0] // 2) * (size[1] // 2), 128), nn.ReLU(), nn.Linear(128, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self.head(self.features(images))
        return logits


class DeepCNN(nn.Module):
    """Paper 2, figure 2.4: two convolutions with average pools, linear 1152 to 256 to 128 to K at 28 x 28.

    Args:
        size: Height and width, at least 8.
        channels: Image channels.
        classes: Number of classes, K.
    """

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        _check_size(size, 8, "cnn-deep")
        height, width = ((side // 2 - 2) // 2 for side in size)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            nn.Linear(32 * height * width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self.head(self.features(images))
        return logits
