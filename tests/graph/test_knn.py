"""Nearest neighbours are correct, the same in any batch, and need no N x N matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.graph import gather_neighbours, nearest_neighbours
from zoo.graph.knn import CHUNK_NODES


def random_nodes(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 40), st.data())
def test_neighbours_have_the_k_smallest_distances(batch, num_nodes, data):
    k = data.draw(st.integers(1, num_nodes))
    nodes = random_nodes(batch, num_nodes, 5)
    distances = (nodes[:, :, None] - nodes[:, None]).square().sum(-1)
    nearest = distances.gather(2, nearest_neighbours(nodes, k)).sort(2).values
    torch.testing.assert_close(nearest, distances.sort(2).values[..., :k])


def test_each_node_is_its_own_nearest():
    neighbours = nearest_neighbours(random_nodes(2, 30, 4), 3)
    assert torch.equal(neighbours[..., 0], torch.arange(30).expand(2, -1))


def test_an_image_has_the_same_graph_alone_as_in_a_batch():
    nodes = random_nodes(6, 49, 32)
    assert torch.equal(nearest_neighbours(nodes, 9), torch.cat([nearest_neighbours(each[None], 9) for each in nodes]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_any_dtype_works(dtype):
    assert torch.equal(nearest_neighbours(random_nodes(1, 20, 4).to(dtype), 1)[0, :, 0], torch.arange(20))


def test_gathered_features_are_the_neighbours():
    nodes = random_nodes(2, 12, 4)
    neighbours = nearest_neighbours(nodes, 5)
    assert torch.equal(gather_neighbours(nodes, neighbours)[1, 7], nodes[1, neighbours[1, 7]])


def test_features_have_a_gradient_and_the_choice_has_none():
    nodes = random_nodes(1, 9, 2).requires_grad_()
    gather_neighbours(nodes, nearest_neighbours(nodes, 3)).sum().backward()
    assert nodes.grad is not None
    assert float(nodes.grad.sum()) == pytest.approx(9 * 3 * 2)


@pytest.mark.parametrize("side", [28, 64])
def test_memory_grows_with_the_pixels_and_not_with_their_square(side, largest):
    with largest as seen:
        assert nearest_neighbours(random_nodes(1, side * side, 2), 8).shape == (1, side * side, 8)
    print(f"{side} x {side}: largest tensor {seen.elements:,} elements")
    assert seen.elements <= CHUNK_NODES * side * side


@pytest.mark.parametrize("k", [0, 10])
def test_more_neighbours_than_nodes_are_refused(k):
    with pytest.raises(ConfigError, match="from 1 to 9"):
        nearest_neighbours(random_nodes(1, 9, 2), k)
