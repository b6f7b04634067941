"""The views of a pixel grid agree with each other."""

import pytest
import torch

from zoo.errors import ConfigError
from zoo.graph import PixelGraph


def normalized_adjacency(height, width):
    """Return D^-1/2 (A + I) D^-1/2 by its definition, in float64."""
    pixels = [(row, column) for row in range(height) for column in range(width)]
    adjacency = torch.tensor([[max(abs(a - c), abs(b - d)) <= 1 for c, d in pixels] for a, b in pixels]).double()
    scale = adjacency.sum(1).rsqrt()
    return scale[:, None] * adjacency * scale[None, :]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7), (4, 20)], ids=str)
def test_the_adjacency_is_the_symmetric_normalisation(size):
    gap = float((PixelGraph(*size).adjacency().double() - normalized_adjacency(*size)).abs().max())
    print(f"largest difference {gap:.1e}")
    assert gap <= 1e-7


@pytest.mark.parametrize("size", [(3, 5), (7, 7), (28, 28), (40, 10)], ids=str)
def test_propagation_equals_the_dense_product_at_any_size(size):
    graph = PixelGraph(*size)
    nodes = torch.rand(3, graph.num_nodes, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(graph.propagate(nodes), graph.adjacency() @ nodes, rtol=1e-5, atol=1e-6)


def test_a_graph_without_pixels_is_refused():
    with pytest.raises(ConfigError):
        PixelGraph(0, 7)


def test_the_graph_adds_no_tensors_to_the_state_dict():
    assert PixelGraph(7, 7).state_dict() == {}
