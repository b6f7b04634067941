"""Define the image classifier that uses any graph encoder."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.factory.encoder import bind_options, build_encoder, qualify_name
from zoo.fused import Layer, Stack
from zoo.graph import PixelGraph
from zoo_graph_encoders.gcn import GCN
from zoo_graph_encoders.readout import READOUTS, count_features

MAX_LAPLACIAN_POSITIONS = 8
"""Number of Laplacian positions of each pixel; fewer if the grid has fewer."""


class GraphClassifier(nn.Module):
    """Pixels as nodes, a linear layer, several blocks of one encoder, a readout, a linear layer.

    Images (B, C, H, W) become nodes (B, H W, C); `positions` are appended to the features of the nodes.

    Args:
        size: Height and width of the grid.
        channels: Image channels.
        classes: Number of classes, K.
        encoder: A name in `zoo.encoders`, or `plugin:name`.
        options: The encoder's own options, such as `{"heads": 2}`; stored as pairs, with all defaults.
        blocks: Number of encoders, one after the other.
        width: Features of each node.
        neighbours: Neighbours of a pixel: 8, or 4.
        self_loops: Whether each pixel is a neighbour of itself.
        positions: Position of a node: `none`, its `coordinates`, or the 8 smoothest eigenvectors of the `laplacian`.
        readout: `mean`, `mean+max`, `flatten`, or `pyramid` (2 x 2 pooling after each block, mean and max per level).
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 1,
        classes: int = 10,
        encoder: str = "gcn",
        options: tuple[tuple[str, Any], ...] = (),
        blocks: int = 3,
        width: int = 32,
        neighbours: Literal[4, 8] = 8,
        self_loops: bool = True,
        positions: Literal["none", "coordinates", "laplacian"] = "none",
        readout: Literal["mean", "mean+max", "flatten", "pyramid"] = "mean",
    ) -> None:
        super().__init__()
        if min(blocks, width) < 1:
            raise ConfigError(f"graph-classifier needs at least one block of width 1, not {blocks} of width {width}")
        grid = PixelGraph(*size, neighbours=neighbours, self_loops=self_loops)
        self.channels, self.is_pyramid = channels, readout == "pyramid"
        self.is_mean = readout == "mean"
        self.grids = nn.ModuleList(_make_levels(grid, blocks) if self.is_pyramid else [grid] * blocks)
        self.register_buffer("positions", _make_positions(grid, positions), persistent=False)  # (N, P)
        self.positions: Tensor
        self.embed = nn.Linear(channels + self.positions.shape[1], width)
        self.encoders = nn.ModuleList(
            build_encoder(encoder, width=width, size=(each.height, each.width), options=dict(options))
            for each in (_as_grid(module) for module in self.grids)
        )
        self.readout = READOUTS[readout]
        self.head = nn.Linear(count_features(readout, width=width, nodes=grid.num_nodes, blocks=blocks), classes)

    @staticmethod
    def complete_config(config: dict[str, Any]) -> dict[str, Any]:
        """Return a config with the encoder's full name and all of its options, which is saved with the weights."""
        name, options = config["encoder"], dict(config["options"])
        return {**config, "encoder": qualify_name(name), "options": tuple(bind_options(name, options).items())}

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        levels = self.encode_nodes(images)
        logits: Tensor = self.head(self.readout(levels))
        return logits

    def encode_nodes(self, images: Tensor) -> list[Tensor]:
        """Return the nodes after each block, (B, N, width) each, on smaller and smaller grids in a pyramid."""
        pixels = images.flatten(2).mT  # (B, N, C)
        positions = self.positions.expand(images.shape[0], -1, -1)  # len() would fix an export's batch
        nodes: Tensor = self.embed(torch.cat([pixels, positions], 2))  # (B, N, width)
        levels: list[Tensor] = []
        for encoder, grid in zip(self.encoders, self.grids, strict=True):
            levels.append(encoder(nodes, grid))
            nodes = _as_grid(grid).pool(levels[-1]) if self.is_pyramid else levels[-1]
        return levels

    def stack(self) -> Stack | None:
        """Return the net as a fused stack, which is trained as one compiled program, or None if it cannot be one."""
        if not self.is_mean or not all(isinstance(each, GCN) for each in self.encoders):
            return None
        first = Layer.from_linear(self.embed, propagate=False, relu=False)
        return Stack(
            graph=_as_grid(self.grids[0]),
            channels=self.channels,
            layers=[first, *(each.layer() for each in self.encoders if isinstance(each, GCN))],
            head=Layer.from_linear(self.head),
            positions=self.positions if self.positions.shape[1] else None,
        )


def _as_grid(module: nn.Module) -> PixelGraph:
    assert isinstance(module, PixelGraph)
    return module


def _make_levels(grid: PixelGraph, count: int) -> list[PixelGraph]:
    """Return `count` grids, each with half the height and width of the one before."""
    grids = [grid]
    for _ in range(count - 1):
        grids.append(grids[-1].coarsen())
    return grids


def _make_positions(grid: PixelGraph, kind: str) -> Tensor:
    if kind == "coordinates":
        return grid.coordinates()
    return grid.laplacian_eigenvectors(min(MAX_LAPLACIAN_POSITIONS, grid.num_nodes - 1) if kind == "laplacian" else 0)
