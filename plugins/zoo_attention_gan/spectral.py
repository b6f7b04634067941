"""Define a GAN of residual blocks with a spectrally normalised projection discriminator (Miyato et al. 2018, B.4)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from zoo.errors import ConfigError


class SpectralNorm(nn.Module):
    """A weight divided by its largest singular value (Miyato et al. 2018, algorithm 1), one power iteration a step.

    Only the left singular vector is stored. Its length is the number of outputs, so weights can be adapted to other
    image channels.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.left: Tensor
        self.register_buffer("left", F.normalize(torch.randn(len(weight)), dim=0))
        for _ in range(15):
            self._iterate(weight.detach().flatten(1))

    def _iterate(self, rows: Tensor) -> None:
        self.left.copy_(F.normalize(rows @ F.normalize(rows.mT @ self.left, dim=0), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight in its own shape, with a largest singular value of about 1."""
        rows = weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self._iterate(rows)
        left = self.left.clone()  # the next forward changes it in place, but this gradient needs it
        right = F.normalize(rows.detach().mT @ left, dim=0)
        largest = left @ (rows @ right)
        return weight / largest


def spectral_norm(layer: nn.Module) -> nn.Module:
    """Parametrize the weight of a layer by spectral norm, and return the layer."""
    register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
    return layer


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift depend on the class (de Vries et al. 2017); unconditional if K is 0."""

    def __init__(self, channels: int, num_labels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=num_labels == 0)
        self.scale = nn.Linear(num_labels, channels, bias=False) if num_labels else None
        self.shift = nn.Linear(num_labels, channels, bias=False) if num_labels else None
        if self.scale is not None and self.shift is not None:
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Return normalised maps (B, C, H, W) for labels (B, K)."""
        normed: Tensor = self.norm(maps)
        if self.scale is None or self.shift is None:
            return normed
        scaled: Tensor = normed * self.scale(labels)[:, :, None, None] + self.shift(labels)[:, :, None, None]
        return scaled


class UpsampleBlock(nn.Module):
    """Norm, ReLU, upsampling by 2, convolution; norm, ReLU, convolution; and a shortcut."""

    def __init__(self, channels: int, num_labels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ConditionalBatchNorm(channels, num_labels), ConditionalBatchNorm(channels, num_labels)
        self.conv1, self.conv2 = (
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(channels, channels, 1)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Return maps (B, C, 2 H, 2 W)."""
        shortcut = self.shortcut(F.interpolate(maps, scale_factor=2.0))
        maps = self.conv1(F.interpolate(self.norm1(maps, labels).relu(), scale_factor=2.0))
        maps = self.conv2(self.norm2(maps, labels).relu())
        output: Tensor = maps + shortcut
        return output


class ResidualGenerator(nn.Module):
    """A linear layer, three upsampling blocks, batch normalisation, ReLU, convolution, tanh.

    Args:
        size: Height and width, multiples of 8 and at least 16.
        channels: Image channels.
        num_labels: Number of classes it is conditioned on, K; 0 for none.
        num_noise: Size of the noise, Z.
        width: Channels of all maps.
    """

    def __init__(self, size: tuple[int, int], channels: int, num_labels: int, num_noise: int, width: int) -> None:
        super().__init__()
        self.num_noise, self.num_labels = num_noise, num_labels
        self.first_shape = (width, size[0] // 8, size[1] // 8)
        self.linear = nn.Linear(num_noise, self.first_shape[0] * self.first_shape[1] * self.first_shape[2])
        self.blocks = nn.ModuleList(UpsampleBlock(width, num_labels) for _ in range(3))
        self.norm = nn.BatchNorm2d(width)
        self.conv = nn.Conv2d(width, channels, 3, padding=1, bias=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1] for codes (B, Z + K)."""
        labels = codes[:, self.num_noise :]
        maps = self.linear(codes[:, : self.num_noise]).unflatten(1, self.first_shape)
        for block in self.blocks:
            maps = block(maps, labels)
        images: Tensor = self.conv(self.norm(maps).relu()).tanh()
        return images


class DownsampleBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, downsampling by 2 if `downsample`; and a shortcut.

    The first block of a network has no ReLU at its input.
    """

    def __init__(self, inputs: int, width: int, *, first: bool = False, downsample: bool) -> None:
        super().__init__()
        self.is_first, self.downsample = first, downsample
        self.conv1 = spectral_norm(nn.Conv2d(inputs, width, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, width, 1)) if downsample or inputs != width else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, width, H, W), or (B, width, H / 2, W / 2) with `downsample`."""
        shortcut = self.shortcut(maps)
        maps = self.conv2(self.conv1(maps if self.is_first else maps.relu()).relu())
        added: Tensor = maps + shortcut
        return F.avg_pool2d(added, 2) if self.downsample else added


class ProjectionDiscriminator(nn.Module):
    """Four downsampling blocks, ReLU, sum, linear, and for the class a product with the features (equation 3).

    Args:
        channels: Image channels.
        num_labels: Number of classes it is conditioned on, K; 0 for none.
        width: Channels of all maps.
    """

    def __init__(self, channels: int, num_labels: int, width: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            DownsampleBlock(channels, width, first=True, downsample=True),
            DownsampleBlock(width, width, downsample=True),
            DownsampleBlock(width, width, downsample=False),
            DownsampleBlock(width, width, downsample=False),
        )
        self.linear = spectral_norm(nn.Linear(width, 1))
        self.embedding = spectral_norm(nn.Linear(num_labels, width, bias=False)) if num_labels else None

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return scores (B) for images (B, C, H, W) and labels (B, K)."""
        features = self.blocks(images).relu().sum((2, 3))
        scores: Tensor = self.linear(features).flatten()
        if self.embedding is not None:
            scores = scores + (self.embedding(labels) * features).sum(1)
        return scores


class SpectralGAN(nn.Module):
    """Residual generator and projection discriminator in one module, whose `forward` is that of the generator.

    Args:
        size: Height and width, multiples of 8 and at least 16.
        channels: Image channels.
        classes: Number of classes, K.
        conditional: Generate images of a given class.
        noise: Size of the noise, Z.
        width: Channels of the generator's maps; the discriminator has half as many.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 3,
        classes: int = 10,
        conditional: bool = True,
        noise: int = 128,
        width: int = 256,
    ) -> None:
        super().__init__()
        if min(size) < 16 or any(side % 8 for side in size):
            raise ConfigError(
                f"sn-gan generates images whose sides are multiples of 8 and at least 16, not {size[0]} x {size[1]}; "
                "resize the images to such a size"
            )
        num_labels = classes if conditional else 0
        self.generator = ResidualGenerator(size, channels, num_labels, noise, width)
        self.discriminator = ProjectionDiscriminator(channels, num_labels, max(1, width // 2))

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1] for codes (B, Z + K)."""
        images: Tensor = self.generator(codes)
        return images
