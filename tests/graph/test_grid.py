"""All views of a grid show one graph, at any size, with 4 or 8 neighbours, with or without self-loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.graph import PixelGraph

SIDES = st.integers(1, 9)
VARIANTS = [(neighbours, loops) for neighbours in (4, 8) for loops in (True, False)]
ANY = settings(max_examples=60, deadline=None)
grids = st.builds(
    lambda height, width, variant: PixelGraph(height, width, neighbours=variant[0], self_loops=variant[1]),
    SIDES,
    SIDES,
    st.sampled_from(VARIANTS),
)


def random_nodes(graph, batch=2, width=3):
    return torch.rand(batch, graph.num_nodes, width, generator=torch.Generator().manual_seed(0))


def normalized_adjacency(graph):
    """Return D^-1/2 A D^-1/2 by its definition, in float64."""
    pixels = [(row, column) for row in range(graph.height) for column in range(graph.width)]

    def is_near(a, b, c, d):
        distance, num_steps = max(abs(a - c), abs(b - d)), abs(a - c) + abs(b - d)
        return graph.self_loops if distance == 0 else distance == 1 and (graph.neighbours == 8 or num_steps == 1)

    adjacency = torch.tensor([[is_near(*one, *other) for other in pixels] for one in pixels]).double()
    scale = adjacency.sum(1).clamp_min(1).rsqrt()
    return scale[:, None] * adjacency * scale[None, :]


def propagate_along_edges(graph, nodes):
    """Propagate by messages along `edge_index`."""
    source, target = graph.edge_index()
    degree = torch.bincount(target, minlength=graph.num_nodes).clamp_min(1).double()
    weight = (degree[source] * degree[target]).rsqrt()[None, :, None]
    return torch.zeros_like(nodes).index_add(1, target, nodes[:, source] * weight)


@ANY
@given(grids)
def test_all_views_propagate_the_same(graph):
    nodes = random_nodes(graph)
    expected = normalized_adjacency(graph) @ nodes.double()
    views = {
        "dense": graph.adjacency() @ nodes,
        "separable": graph.propagate_separable(nodes),
        "propagate": graph.propagate(nodes),
        "edges": propagate_along_edges(graph, nodes.double()),
    }
    for name, propagated in views.items():
        gap = float((propagated - expected).abs().max())
        assert gap <= 1e-6, f"{name}: {gap}"


@ANY
@given(grids)
def test_each_relation_is_one_step_in_one_direction(graph):
    source, target = graph.edge_index()
    down = source // graph.width - target // graph.width
    right = source % graph.width - target % graph.width
    offsets = torch.tensor(graph.offsets).view(-1, 2)[graph.relations]
    assert torch.equal(torch.stack([down, right], 1), offsets)
    assert torch.equal(graph.edge_offsets(), offsets.float())
    pairs = torch.stack([graph.relations, target])
    assert pairs.unique(dim=1).shape == pairs.shape, "a node has one neighbour in each direction"


@ANY
@given(grids)
def test_edges_without_loops_join_different_pixels(graph):
    edges = graph.edge_index()
    between = edges[:, edges[0] != edges[1]]
    assert torch.equal(graph.edge_index_without_loops(), between)
    assert edges.shape[1] - between.shape[1] == (graph.num_nodes if graph.self_loops else 0)


def test_the_eight_neighbour_grid_has_nine_relations_and_the_other_five():
    assert len(PixelGraph(3, 3).offsets) == 9
    assert len(PixelGraph(3, 3, neighbours=4).offsets) == 5
    assert PixelGraph(3, 3, self_loops=False).offsets == PixelGraph(3, 3).offsets[:8]


@ANY
@given(grids, st.integers(1, 4))
def test_batched_edges_pass_messages_within_each_image(graph, batch):
    nodes = random_nodes(graph, batch).double()
    source, target = graph.batch_edges(batch)
    flat = nodes.flatten(0, 1)
    batched = torch.zeros_like(flat).index_add(0, target, flat[source]).view_as(nodes)
    source, target = graph.edge_index()
    torch.testing.assert_close(batched, torch.zeros_like(nodes).index_add(1, target, nodes[:, source]))


@ANY
@given(grids)
def test_laplacian_eigenvectors_are_ordered_by_frequency(graph):
    count = min(6, graph.num_nodes - 1)
    vectors = graph.laplacian_eigenvectors(count).double()
    reference = PixelGraph(graph.height, graph.width, neighbours=graph.neighbours, self_loops=graph.neighbours == 8)
    matrix = normalized_adjacency(reference)
    if graph.neighbours == 8:
        laplacian = torch.eye(graph.num_nodes) - matrix
    else:
        adjacency = (matrix > 0).double()
        laplacian = adjacency.sum(1).diag() - adjacency
    values = torch.linalg.eigvalsh(laplacian)[1 : count + 1]
    torch.testing.assert_close(laplacian @ vectors, vectors * values, atol=1e-5, rtol=0)
    gram = vectors.T @ vectors / graph.num_nodes
    torch.testing.assert_close(gram, torch.eye(count).double(), atol=1e-5, rtol=0)


def test_more_eigenvectors_than_nodes_are_refused():
    with pytest.raises(ConfigError, match="8 positions, not 9"):
        PixelGraph(3, 3).laplacian_eigenvectors(9)


def test_coordinates_run_from_corner_to_corner():
    coordinates = PixelGraph(3, 5).coordinates()
    assert coordinates[0].tolist() == [-1, -1]
    assert coordinates[-1].tolist() == [1, 1]
    assert coordinates[7].tolist() == [0, 0]
    assert PixelGraph(1, 1).coordinates().tolist() == [[0, 0]]


def test_coarsening_halves_down_to_one_node():
    sizes, graph = [], PixelGraph(28, 7, neighbours=4)
    while graph.num_nodes > 1:
        graph = graph.coarsen()
        sizes.append((graph.height, graph.width, graph.neighbours))
    assert sizes == [(14, 4, 4), (7, 2, 4), (4, 1, 4), (2, 1, 4), (1, 1, 4)]


@ANY
@given(grids)
def test_pooling_takes_the_means_of_squares(graph):
    nodes, coarse = random_nodes(graph), graph.coarsen()
    pooled = graph.pool(nodes)
    assert pooled.shape == (2, coarse.num_nodes, 3)
    corner = nodes.unflatten(1, (graph.height, graph.width))[:, :2, :2].flatten(1, 2).mean(1)
    torch.testing.assert_close(pooled[:, 0], corner)


@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize(("neighbours", "loops"), VARIANTS)
def test_no_buffer_grows_with_the_square_of_the_pixels(side, neighbours, loops, largest):
    with largest as seen:
        graph = PixelGraph(side, side, neighbours=neighbours, self_loops=loops)
        nodes = torch.rand(1, graph.num_nodes, 4)
        for tensor in (
            graph.propagate(nodes),
            graph.edge_index(),
            graph.batch_edges(1),
            graph.laplacian_eigenvectors(8),
            graph.pool(nodes),
        ):
            seen.elements = max(seen.elements, tensor.numel())
    print(f"{side} x {side}: largest tensor {seen.elements:,} elements, N x N would be {graph.num_nodes**2:,}")
    assert seen.elements <= 36 * graph.num_nodes
    assert sum(buffer.numel() for buffer in graph.buffers()) <= 36 * graph.num_nodes


def test_other_numbers_of_neighbours_are_refused():
    with pytest.raises(ConfigError, match="4 or 8"):
        PixelGraph(3, 3, neighbours=6)


def test_views_follow_the_dtype_of_the_graph():
    graph = PixelGraph(4, 5, neighbours=4).double()
    nodes = random_nodes(graph).double()
    for tensor in (
        graph.propagate(nodes),
        graph.propagate_separable(nodes),
        graph.adjacency(),
        graph.coarsen().adjacency(),
    ):
        assert tensor.dtype == torch.float64
    assert graph.edge_index().dtype == torch.int64
