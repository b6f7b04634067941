"""Nearest neighbours in feature space: right, alike in any batch, and without an N x N matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.graph import gather_neighbours, nearest_neighbours
from zoo.graph.knn import CHUNK_NODES


def features(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 40), st.data())
def test_they_are_the_k_smallest_distances(batch, num_nodes, data):
    k = data.draw(st.integers(1, num_nodes))
    nodes = features(batch, num_nodes, 5)
    gaps = (nodes[:, :, None] - nodes[:, None]).square().sum(-1)
    found = gaps.gather(2, nearest_neighbours(nodes, k)).sort(2).values
    torch.testing.assert_close(found, gaps.sort(2).values[..., :k])


def test_each_node_is_its_own_nearest():
    found = nearest_neighbours(features(2, 30, 4), 3)
    assert torch.equal(found[..., 0], torch.arange(30).expand(2, -1))


def test_an_image_has_the_same_graph_alone_as_in_a_batch():
    nodes = features(6, 49, 32)
    assert torch.equal(nearest_neighbours(nodes, 9), torch.cat([nearest_neighbours(each[None], 9) for each in nodes]))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_they_are_found_in_any_number_type(kind):
    assert torch.equal(nearest_neighbours(features(1, 20, 4).to(kind), 1)[0, :, 0], torch.arange(20))


def test_gathered_features_are_the_neighbours():
    nodes = features(2, 12, 4)
    found = nearest_neighbours(nodes, 5)
    assert torch.equal(gather_neighbours(nodes, found)[1, 7], nodes[1, found[1, 7]])


def test_the_choice_has_no_gradient_and_the_features_have():
    nodes = features(1, 9, 2).requires_grad_()
    gather_neighbours(nodes, nearest_neighbours(nodes, 3)).sum().backward()
    assert nodes.grad is not None
    assert float(nodes.grad.sum()) == pytest.approx(9 * 3 * 2)


@pytest.mark.parametrize("side", [28, 64])
def test_memory_grows_with_the_pixels_and_not_with_their_square(side, largest):
    with largest as seen:
        assert nearest_neighbours(features(1, side * side, 2), 8).shape == (1, side * side, 8)
    print(f"{side} x {side}: largest tensor {seen.elements:,} elements")
    assert seen.elements <= CHUNK_NODES * side * side


@pytest.mark.parametrize("k", [0, 10])
def test_a_number_of_neighbours_that_is_not_there_is_refused(k):
    with pytest.raises(ConfigError, match="1 to 9"):
        nearest_neighbours(features(1, 9, 2), k)
