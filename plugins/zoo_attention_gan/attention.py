"""Paper 3's generator of transposed convolutions and spatial attention, and its discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError

EMBEDDING_SIZE = 50
"""Numbers that stand for a class beside the noise."""


def count_halvings(size: tuple[int, int], name: str) -> int:
    """Return how often both sides can be halved, 2 or 3 times, down to at least 2 pixels.

    Raises:
        ConfigError: They cannot be halved twice, or the image is below 12 x 12 pixels.
    """
    if min(size) < 12 or any(side % 4 for side in size):
        raise ConfigError(
            f"{name} draws images whose sides are multiples of 4 from 12 up, not {size[0]} x {size[1]}; "
            "resize the images to such a size"
        )
    return 3 if all(side % 8 == 0 for side in size) else 2


class SpatialAttention(nn.Module):
    """S = sigmoid(BN(Conv(X))), output S * X + X (paper 3, equations 2 and 3); S is one map, for all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, H, W), those parts amplified that attention falls on."""
        attention = self.norm(self.conv(maps)).sigmoid()  # (B, 1, H, W)
        attended: Tensor = attention * maps + maps
        return attended


class AttentionGenerator(nn.Module):
    """4 transposed convolutions with attention modules after the first ones, tanh (paper 3, figure 1).

    28 x 28 grows as 1, 7, 7, 14, 28 pixels and 32 x 32 as 1, 4, 8, 16, 32.

    Args:
        size: Height and width, multiples of 4 from 12 up.
        channels: Image channels.
        num_labels: Number of classes it is told, K; 0 for none.
        num_noise: Numbers of noise, Z.
        width: Channels of the last map before the image; each earlier map has twice as many.
        attention: How many attention modules, 0 to 3.
    """

    def __init__(
        self, size: tuple[int, int], channels: int, num_labels: int, num_noise: int, width: int, attention: int
    ) -> None:
        super().__init__()
        self.num_noise, self.num_labels = num_noise, num_labels
        times = count_halvings(size, "attention-gan")
        self.embedding = nn.Linear(num_labels, EMBEDDING_SIZE, bias=False) if num_labels else None
        inputs = num_noise + (EMBEDDING_SIZE if num_labels else 0)
        first = (size[0] >> times, size[1] >> times)
        widths = (4 * width, 2 * width, width)
        second = (4, 2) if times == 3 else (3, 1)
        deconvs = (
            nn.ConvTranspose2d(inputs, widths[0], first, bias=False),
            nn.ConvTranspose2d(widths[0], widths[1], second[0], second[1], 1, bias=False),
            nn.ConvTranspose2d(widths[1], widths[2], 4, 2, 1, bias=False),
        )
        parts: list[nn.Module] = []
        for place, (deconv, own) in enumerate(zip(deconvs, widths, strict=True)):
            parts += [deconv, nn.BatchNorm2d(own), nn.ReLU()]
            parts += [SpatialAttention(own)] if place < attention else []
        self.layers = nn.Sequential(*parts, nn.ConvTranspose2d(widths[2], channels, 4, 2, 1, bias=False), nn.Tanh())
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1] for codes (B, Z + K)."""
        if self.embedding is not None:
            codes = torch.cat([codes[:, : self.num_noise], self.embedding(codes[:, self.num_noise :])], 1)
        first = self.layers[0].get_parameter("weight")
        maps = (codes @ first.flatten(1)).unflatten(1, first.shape[1:])  # of one pixel it is a plain product
        images: Tensor = self.layers[1:](maps)
        return images


class AttentionDiscriminator(nn.Module):
    """4 convolutions (paper 3, figure 1); a class counts by the product of its own weights with the last map.

    That projection is Miyato and Koyama's (2018, equation 3), here on the whole last map and not its mean, which tells
    digits apart sooner; the paper does not say how labels come in. The middle convolutions are normalised over the
    batch, as Radford et al. 2016 do: without it all noise drew one image here.

    Args:
        size: Height and width, multiples of 4 from 12 up.
        channels: Image channels.
        num_labels: Number of classes it is told, K; 0 for none.
        width: Channels after the first convolution; the next two have twice and four times as many.
    """

    def __init__(self, size: tuple[int, int], channels: int, num_labels: int, width: int) -> None:
        super().__init__()
        times = count_halvings(size, "attention-gan")
        last = (size[0] >> times, size[1] >> times)
        third = (4, 2) if times == 3 else (3, 1)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, third[0], third[1], 1, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.LeakyReLU(0.2),
        )
        self.score = nn.Conv2d(4 * width, 1, last)
        self.classes = nn.Linear(4 * width * last[0] * last[1], num_labels, bias=False) if num_labels else None

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return scores (B) for images (B, C, H, W) and labels (B, K)."""
        found = self.layers(images).flatten(1)
        score, bias = self.score.weight.flatten(1), self.score.bias  # as large as the map: a plain product
        scores: Tensor = nn.functional.linear(found, score, bias).flatten()
        if self.classes is not None:
            scores = scores + (self.classes(found) * labels).sum(1)
        return scores


class AttentionGAN(nn.Module):
    """Generator and discriminator of paper 3.

    Args:
        size: Height and width, multiples of 4 from 12 up.
        channels: Image channels.
        classes: Number of classes, K.
        conditional: Draw images of a given class; the paper's own generator knows no classes.
        attention: How many attention modules the generator has, 0 to 3.
        noise: Numbers of noise, Z.
        width: Channels of the widest maps, in both: see the two.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 1,
        classes: int = 10,
        conditional: bool = True,
        attention: int = 3,
        noise: int = 100,
        width: int = 32,
    ) -> None:
        super().__init__()
        if not 0 <= attention <= 3:
            raise ConfigError(f"attention-gan has 0 to 3 attention modules, not {attention}")
        num_labels = classes if conditional else 0
        self.generator = AttentionGenerator(size, channels, num_labels, noise, width, attention)
        self.discriminator = AttentionDiscriminator(size, channels, num_labels, width)

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1] for codes (B, Z + K)."""
        images: Tensor = self.generator(codes)
        return images
