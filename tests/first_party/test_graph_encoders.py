"""Graph encoders: the operators are their papers', the model around them takes any, and its config lasts."""

import json
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.errors import ConfigError, PluginError
from zoo.factory.encoder import build_encoder
from zoo.graph import PixelGraph, nearest_neighbours
from zoo.seeding import use_seed

ENCODERS = sorted(name for name in zoo.encoders if zoo.encoders.owner(name) == "zoo_graph_encoders")
MODELS = sorted(name for name in zoo.models if zoo.models.owner(name) == "zoo_graph_encoders")
KINDS = st.sampled_from([(neighbours, loops) for neighbours in (4, 8) for loops in (True, False)])
GRIDS = st.builds(
    lambda height, width, kind: PixelGraph(height, width, neighbours=kind[0], self_loops=kind[1]),
    st.integers(1, 6),
    st.integers(1, 6),
    KINDS,
)
ANY = settings(max_examples=25, deadline=None)


def made(name, width=8, size=(5, 5), seed=0, **options):
    with use_seed(seed):
        return build_encoder(name, width=width, size=size, options=options).eval()


def features(graph, batch=2, width=8):
    return torch.randn(batch, graph.num_nodes, width, generator=torch.Generator().manual_seed(0))


def test_the_shelf_holds_the_encoders_of_the_literature_and_zoos_own():
    own = {"rgcn", "gcn-plus", "gps", "vig"}
    assert {"gcn", "sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"} | own <= set(ENCODERS)


@pytest.mark.parametrize("name", ENCODERS)
def test_any_encoder_makes_a_classifier(name):
    model = zoo.create("graph-classifier", encoder=name, size=(4, 6), channels=2, classes=3, blocks=2, width=8, seed=0)
    assert model.logits(torch.zeros(2, 2, 4, 6, dtype=torch.uint8)).shape == (2, 3)


@pytest.mark.parametrize("readout", ["mean", "mean+max", "flatten", "pyramid"])
@pytest.mark.parametrize("positions", ["none", "coordinates", "laplacian"])
@pytest.mark.parametrize("name", ["gcn", "gps"])
def test_readouts_and_positions_go_with_any_encoder(name, positions, readout):
    model = zoo.create("graph-classifier", encoder=name, positions=positions, readout=readout, size=(5, 6), seed=0)
    assert model.logits(torch.zeros(2, 1, 5, 6, dtype=torch.uint8)).shape == (2, 10)


def test_a_pyramid_halves_the_grid_after_each_block():
    net = zoo.create("gcn-pyramid-28x28", seed=0).net
    assert [(grid.height, grid.width) for grid in net.grids] == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert [level.shape[1] for level in net.nodes(torch.zeros(1, 1, 28, 28))] == [784, 196, 49, 16]


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_gcn_plus_is_invariant_to_the_symmetries_of_the_square(turn, is_mirrored):
    net = zoo.create("gcn-plus-7x7", seed=0).net
    images = torch.rand(8, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    changed = images.rot90(turn, (2, 3))
    changed = changed.flip(3) if is_mirrored else changed
    gap = float((net(changed) - net(images)).abs().max().detach())
    print(f"largest difference {gap:.1e}")
    assert gap <= 1e-5


@pytest.mark.parametrize("name", ["rgcn-7x7", "gps-7x7", "gcn-pos-7x7"])
def test_models_that_know_directions_or_places_are_not_invariant(name):
    net = zoo.create(name, seed=0).net
    images = torch.rand(8, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    assert float((net(images.rot90(1, (2, 3))) - net(images)).abs().max().detach()) > 1e-3


geometric = pytest.importorskip("torch_geometric.nn", reason="pip install 'zoo-models[pyg]'")


@ANY
@given(GRIDS)
def test_gcn_is_that_of_pytorch_geometric(graph):
    ours, theirs = made("gcn").convolution, geometric.GCNConv(8, 8, add_self_loops=False)
    theirs.lin.weight.data, theirs.bias.data = ours.linear.weight.data, ours.linear.bias.data
    nodes = features(graph)
    torch.testing.assert_close(ours(nodes, graph), theirs(nodes, graph.edge_index()), rtol=1e-5, atol=1e-6)


@ANY
@given(GRIDS)
def test_the_relational_convolution_is_that_of_pytorch_geometric(graph):
    ours = made("rgcn").block.operator
    theirs = geometric.RGCNConv(8, 8, num_relations=9, root_weight=False)
    reading = {(row, column): 3 * row + column + 4 for row in (-1, 0, 1) for column in (-1, 0, 1)}
    order = torch.tensor([reading[offset] for offset in graph.offsets])
    theirs.weight.data, theirs.bias.data = ours.weight.data, ours.bias.data
    nodes = features(graph)
    expected = torch.stack([theirs(each, graph.edge_index(), order[graph.relations]) for each in nodes])
    torch.testing.assert_close(ours(nodes, graph), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"])
@ANY
@given(graph=GRIDS)
def test_a_batch_is_encoded_as_pytorch_geometric_encodes_each_graph(name, graph):
    net, nodes = made(name, size=(graph.height, graph.width)), features(graph)
    edges = graph.edge_index() if name in ("gat", "gatv2", "transformer", "monet") else graph.edge_index_without_loops()
    extra = (graph.steps(),) if name == "monet" else ()
    each = torch.stack([net.convolution(one, edges, *extra) for one in nodes])
    each = net.norm(each) if name == "gin" else each
    torch.testing.assert_close(net(nodes, graph), each.relu(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"])
def test_without_pytorch_geometric_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(PluginError, match=rf"'{name}' needs torch_geometric.*pip install 'zoo-models\[pyg\]'"):
        zoo.create("graph-classifier", encoder=name)


@pytest.mark.parametrize("name", MODELS)
def test_no_named_model_needs_pytorch_geometric(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    assert zoo.create(name, seed=0).num_parameters == zoo.models[name].parameters


def test_the_bias_of_attention_depends_on_the_difference_of_places_alone():
    attention = made("gps", size=(3, 4)).attention
    with torch.no_grad():
        attention.table.copy_(torch.arange(attention.table.numel()).view_as(attention.table))
    bias = attention.bias()
    places = [(row, column) for row in range(3) for column in range(4)]
    for i, (a, b) in enumerate(places):
        for j, (c, d) in enumerate(places):
            assert torch.equal(bias[:, i, j], attention.table[:, a - c + 2, b - d + 3])


def test_gps_refuses_another_grid_than_it_was_made_for():
    graph = PixelGraph(4, 4)
    with pytest.raises(ConfigError, match="4 x 4"):
        made("gps")(features(graph), graph)


def test_vig_takes_the_largest_difference_to_the_nearest():
    operator, graph = made("vig", k=4).convolution, PixelGraph(5, 5)
    nodes = features(graph)
    near = nearest_neighbours(nodes, 4)
    for node in range(25):
        largest = (nodes[0, near[0, node]] - nodes[0, node]).amax(0)
        expected = operator.linear(torch.cat([nodes[0, node], largest]))
        torch.testing.assert_close(operator(nodes)[0, node], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["gat", "gatv2", "transformer", "gps"])
def test_heads_that_cannot_share_the_width_are_refused(name):
    with pytest.raises(ConfigError, match="8 cannot be shared by 3"):
        made(name, heads=3)


def test_the_config_holds_the_encoders_options_complete():
    model = zoo.create("graph-classifier", encoder="gps", options={"heads": 2}, seed=0)
    assert model.config["options"] == (("heads", 2), ("expansion", 2), ("dropout", 0.0))
    again = zoo.create("graph-classifier", **json.loads(json.dumps(model.config)))
    assert again.config == model.config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": 2}, "encoder gps takes no 'head'; did you mean heads"),
        ({"heads": "two"}, "encoder gps takes heads as int"),
        ({"width": 8}, "width of an encoder is its model's"),
    ],
)
def test_options_the_encoder_does_not_take_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        zoo.create("graph-classifier", encoder="gps", options=options)


def test_28x28_pixels_make_no_matrix_of_pixels_by_pixels():
    for module in zoo.create("gcn-pyramid-28x28", seed=0).net.modules():
        for name, tensor in module.named_buffers(recurse=False):
            assert tensor.numel() < 784**2 / 10, name


@pytest.mark.parametrize("name", ENCODERS)
def test_a_classifier_with_any_encoder_is_exported_for_batches_of_any_size(name):
    net = zoo.create("graph-classifier", encoder=name, positions="laplacian", blocks=2, width=8, seed=0).net
    images = torch.rand(5, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    program = torch.export.export(net, (images[:3],), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    torch.testing.assert_close(program(images), net(images), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["gps-7x7", "vig-7x7"])
def test_the_hardest_models_are_exported_to_onnx_with_the_same_logits(name, tmp_path):
    pytest.importorskip("onnxruntime", reason="pip install 'zoo-models[onnx]'")
    done = zoo.create(name, seed=0).export(tmp_path / "model.onnx")
    print(done)
    assert done.difference <= 1e-5
