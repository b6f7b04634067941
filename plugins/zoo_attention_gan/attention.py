"""Define paper 3's GAN: a generator of transposed convolutions with spatial attention, and its discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError

EMBEDDING_SIZE = 50
"""Size of the embedding of a class, which is appended to the noise."""


def count_halvings(size: tuple[int, int], name: str) -> int:
    """Return how often height and width can be halved, 2 or 3 times.

    Raises:
        ConfigError: They are not multiples of 4, or below 12 pixels.
    """
    if min(size) < 12 or any(side % 4 for side in size):
        raise ConfigError(
            f"{name} generates images whose sides are multiples of 4 and at least 12, not {size[0]} x {size[1]}; "
            "resize the images to such a size"
        )
    return 3 if all(side % 8 == 0 for side in size) else 2


class SpatialAttention(nn.Module):
    """S = sigmoid(BN(Conv(X))), output S * X + X (paper 3, equations 2 and 3); all channels share one map S."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, H, W), amplified where attention is high."""
        attention = self.norm(self.conv(maps)).sigmoid()  # (B, 1, H, W)
        attended: Tensor = attention * maps + maps
        return attended


class AttentionGenerator(nn.Module):
    """4 transposed convolutions with attention modules after the first ones, tanh (paper 3, figure 1).

    The side of the maps is 1, 7, 7, 14, 28 pixels for 28 x 28 images and 1, 4, 8, 16, 32 for 32 x 32.

    Args:
        size: Height and width, multiples of 4 and at least 12.
        channels: Image channels.
        num_labels: Number of classes it is conditioned on, K; 0 for none.
        num_noise: Size of the noise, Z.
        width: Channels of the last hidden map; each earlier map has twice as many.
        attention: Number of attention modules, 0 to 3.
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
        for index, (deconv, out_channels) in enumerate(zip(deconvs, widths, strict=True)):
            parts += [deconv, nn.BatchNorm2d(out_channels), nn.ReLU()]
            parts += [SpatialAttention(out_channels)] if index < attention else []
        self.layers = nn.Sequential(*parts, nn.ConvTranspose2d(widths[2], channels, 4, 2, 1, bias=False), nn.Tanh())
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1] for codes (B, Z + K)."""
        if self.embedding is not None:
            codes = torch.cat([codes[:, : self.num_noise], self.embedding(codes[:, self.num_noise :])], 1)
        first = self.layers[0].get_parameter("weight")
        maps = (codes @ first.flatten(1)).unflatten(
            1, first.shape[1:]
        )  # a transposed convolution of one pixel is a matrix product
        images: Tensor = self.layers[1:](maps)
        return images


class AttentionDiscriminator(nn.Module):
    """4 convolutions (paper 3, figure 1), and for the class a product of its weights with the last map.

    The paper does not say how it uses labels. This projection is Miyato and Koyama's (2018, equation 3), but on the
    whole last map instead of its mean, which separates digits earlier in training. The middle convolutions have batch
    normalisation as in Radford et al. 2016; without it the generator collapsed to a single image.

    Args:
        size: Height and width, multiples of 4 and at least 12.
        channels: Image channels.
        num_labels: Number of classes it is conditioned on, K; 0 for none.
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
        features = self.layers(images).flatten(1)
        score, bias = self.score.weight.flatten(1), self.score.bias  # a convolution as large as the map is a product
        scores: Tensor = nn.functional.linear(features, score, bias).flatten()
        if self.classes is not None:
            scores = scores + (self.classes(features) * labels).sum(1)
        return scores


class AttentionGAN(nn.Module):
    """Generator and discriminator of paper 3 in one module, whose `forward` is that of the generator.

    Args:
        size: Height and width, multiples of 4 and at least 12.
        channels: Image channels.
        classes: Number of classes, K.
        conditional: Generate images of a given class; the paper's generator is not conditional.
        attention: Number of attention modules of the generator, 0 to 3.
        noise: Size of the noise, Z.
        width: Width of both networks; see their docstrings.
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
