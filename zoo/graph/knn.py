"""Find the nearest neighbours of each node in feature space: a graph of its own for every image."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import ConfigError

CHUNK_NODES = 256
"""Nodes whose distances to all others are in memory at once, so that memory grows with N and not with its square."""


def nearest_neighbours(nodes: Tensor, k: int) -> Tensor:
    """Return the `k` nearest nodes of each node in Euclidean distance, int64 (B, N, k), itself included.

    This is the graph of dynamic graph CNNs (Wang et al. 2019, section 3.2) and Vision GNN (Han et al. 2022, section
    3.1). The choice has no gradient. Distances are computed from differences, not products, so an image has the same
    graph in any batch. Time grows with N squared, memory with N.

    Args:
        nodes: Features, (B, N, F).
        k: Number of neighbours, at most N.

    Raises:
        ConfigError: `k` is not from 1 to N.
    """
    num_nodes = nodes.shape[1]
    if not 1 <= k <= num_nodes:
        raise ConfigError(f"k is from 1 to {num_nodes}, the number of nodes, not {k}")
    features = nodes.detach().to(torch.promote_types(nodes.dtype, torch.float32))
    chunks = (features[:, start : start + CHUNK_NODES] for start in range(0, num_nodes, CHUNK_NODES))
    return torch.cat([_chunk_neighbours(chunk, features, k) for chunk in chunks], 1)


def _chunk_neighbours(chunk: Tensor, all_nodes: Tensor, k: int) -> Tensor:
    return _pairwise_distances(chunk, all_nodes).topk(k, largest=False).indices


def _pairwise_distances(chunk: Tensor, all_nodes: Tensor) -> Tensor:
    """Return Euclidean distances (B, M, N), or in an exported program their squares, by operations that ONNX has."""
    if torch.compiler.is_exporting():
        return (chunk[:, :, None] - all_nodes[:, None]).square().sum(-1)
    return torch.cdist(chunk, all_nodes, compute_mode="donot_use_mm_for_euclid_dist")


def gather_neighbours(nodes: Tensor, neighbours: Tensor) -> Tensor:
    """Return the features of each node's neighbours, (B, N, k, F), for nodes (B, N, F) and indices (B, N, k)."""
    batch, num_nodes, k = neighbours.shape
    index = neighbours.reshape(batch, num_nodes * k, 1).expand(-1, -1, nodes.shape[2])
    return nodes.gather(1, index).view(batch, num_nodes, k, -1)
