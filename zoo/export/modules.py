"""Combine a net with its preprocessing in one module, which is exported and runs without zoo."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.signature import Preprocessing
from zoo.task_info import CLASSIFICATION, GENERATION


class ClassifierExport(nn.Module):
    """A classifier that takes images uint8 (N, C, H, W) of the model's size and returns logits float32 (N, K)."""

    def __init__(self, net: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.net = net
        weight = next(net.parameters())
        scale = 1 / torch.tensor(preprocessing.std).view(1, -1, 1, 1)
        shift = torch.tensor(preprocessing.mean).view(1, -1, 1, 1) * scale
        self.register_buffer("scale", scale.to(weight.device))
        self.register_buffer("shift", shift.to(weight.device))
        self.dtype = weight.dtype
        self.scale: Tensor
        self.shift: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K)."""
        levels = images.float() / 255
        logits: Tensor = self.net((levels * self.scale - self.shift).to(self.dtype))
        return logits.float()


class GeneratorExport(nn.Module):
    """The generator alone: takes codes float32 (N, Z + K) and returns images float32 (N, C, H, W) in [0, 1]."""

    def __init__(self, net: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.net: nn.Module = net.generator  # type: ignore[assignment]
        weight = next(self.net.parameters())
        self.register_buffer("std", torch.tensor(preprocessing.std).view(1, -1, 1, 1).to(weight.device))
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, -1, 1, 1).to(weight.device))
        self.dtype = weight.dtype
        self.std: Tensor
        self.mean: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        """Return images (N, C, H, W)."""
        images: Tensor = self.net(codes.to(self.dtype)).float() * self.std + self.mean
        return images.clamp(0, 1)


EXPORT_MODULES: dict[str, type[ClassifierExport] | type[GeneratorExport]] = {
    CLASSIFICATION.name: ClassifierExport,
    GENERATION.name: GeneratorExport,
}
"""The module that is exported for each task."""
