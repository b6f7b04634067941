"""Import torch_geometric, an optional dependency, and apply its operators for one graph to a batch."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor
from torch.nn import Module

from zoo.errors import PluginError
from zoo.graph import PixelGraph


def import_pyg(encoder: str) -> Any:
    """Import and return `torch_geometric.nn`.

    Args:
        encoder: The encoder that needs it, for the message.

    Raises:
        PluginError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # it still uses torch.jit.script
            import torch_geometric.nn
    except ImportError as error:
        raise PluginError(
            f"the encoder {encoder!r} needs torch_geometric ({error}): pip install 'zoo-models[pyg]'"
        ) from error
    return torch_geometric.nn


def apply_batched(operator: Module, nodes: Tensor, graph: PixelGraph, *edge_features: Tensor) -> Tensor:
    """Apply an operator for the nodes and edges of one graph to a batch, and return nodes (B, N, width).

    Args:
        operator: Maps nodes (B N, width), edges (2, B E) and edge features (B E, D) to nodes (B N, width).
        nodes: The nodes, (B, N, width).
        graph: Their graph, which is repeated for the batch.
        *edge_features: Features of each edge of one graph, (E, D).
    """
    batch = nodes.shape[0]
    tiled = [each.repeat(batch, 1) for each in edge_features]  # (B E, D)
    encoded: Tensor = operator(nodes.flatten(0, 1), graph.batch_edges(batch), *tiled)  # (B N, width)
    return encoded.view_as(nodes)
