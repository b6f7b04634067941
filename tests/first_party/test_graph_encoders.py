"""The encoders equal PyTorch Geometric's, the classifier uses any of them, and its config is complete."""

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


def make_encoder(name, width=8, size=(5, 5), seed=0, **options):
    with use_seed(seed):
        return build_encoder(name, width=width, size=size, options=options).eval()


def make_nodes(graph, batch=2, width=8):
    return torch.randn(batch, graph.num_nodes, width, generator=torch.Generator().manual_seed(0))


def test_the_registry_has_the_encoders_of_the_literature_and_zoos_own():
    own = {"rgcn", "gcn-plus", "gps", "vig"}
    assert {"gcn", "sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"} | own <= set(ENCODERS)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_classifier_can_use_any_encoder(name):
    model = zoo.create("graph-classifier", encoder=name, size=(4, 6), channels=2, classes=3, blocks=2, width=8, seed=0)
    assert model.logits(torch.zeros(2, 2, 4, 6, dtype=torch.uint8)).shape == (2, 3)


@pytest.mark.parametrize("readout", ["mean", "mean+max", "flatten", "pyramid"])
@pytest.mark.parametrize("positions", ["none", "coordinates", "laplacian"])
@pytest.mark.parametrize("name", ["gcn", "gps"])
def test_readouts_and_positions_can_be_combined_with_any_encoder(name, positions, readout):
    model = zoo.create("graph-classifier", encoder=name, positions=positions, readout=readout, size=(5, 6), seed=0)
    assert model.logits(torch.zeros(2, 1, 5, 6, dtype=torch.uint8)).shape == (2, 10)


def test_a_pyramid_halves_the_grid_after_each_block():
    net = zoo.create("gcn-pyramid-28x28", seed=0).net
    assert [(grid.height, grid.width) for grid in net.grids] == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert [level.shape[1] for level in net.encode_nodes(torch.zeros(1, 1, 28, 28))] == [784, 196, 49, 16]


@pytest.mark.parametrize("num_turns", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_gcn_plus_is_invariant_under_the_symmetries_of_the_square(num_turns, mirror):
    net = zoo.create("gcn-plus-7x7", seed=0).net
    images = torch.rand(8, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    changed = images.rot90(num_turns, (2, 3))
    changed = changed.flip(3) if mirror else changed
    gap = float((net(changed) - net(images)).abs().max().detach())
    print(f"largest difference {gap:.1e}")
    assert gap <= 1e-5


@pytest.mark.parametrize("name", ["rgcn-7x7", "gps-7x7", "gcn-pos-7x7"])
def test_models_that_use_directions_or_positions_are_not_invariant(name):
    net = zoo.create(name, seed=0).net
    images = torch.rand(8, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    assert float((net(images.rot90(1, (2, 3))) - net(images)).abs().max().detach()) > 1e-3


geometric = pytest.importorskip("torch_geometric.nn", reason="pip install 'zoo-models[pyg]'")


@ANY
@given(GRIDS)
def test_gcn_equals_that_of_pytorch_geometric(graph):
    convolution, reference = make_encoder("gcn").convolution, geometric.GCNConv(8, 8, add_self_loops=False)
    reference.lin.weight.data, reference.bias.data = convolution.linear.weight.data, convolution.linear.bias.data
    nodes = make_nodes(graph)
    torch.testing.assert_close(convolution(nodes, graph), reference(nodes, graph.edge_index()), rtol=1e-5, atol=1e-6)


@ANY
@given(GRIDS)
def test_the_relational_convolution_equals_that_of_pytorch_geometric(graph):
    operator = make_encoder("rgcn").block.operator
    reference = geometric.RGCNConv(8, 8, num_relations=9, root_weight=False)
    relations = {(row, column): 3 * row + column + 4 for row in (-1, 0, 1) for column in (-1, 0, 1)}
    order = torch.tensor([relations[offset] for offset in graph.offsets])
    reference.weight.data, reference.bias.data = operator.weight.data, operator.bias.data
    nodes = make_nodes(graph)
    expected = torch.stack([reference(each, graph.edge_index(), order[graph.relations]) for each in nodes])
    torch.testing.assert_close(operator(nodes, graph), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"])
@ANY
@given(graph=GRIDS)
def test_a_batch_is_encoded_as_pytorch_geometric_encodes_each_graph(name, graph):
    net, nodes = make_encoder(name, size=(graph.height, graph.width)), make_nodes(graph)
    edges = graph.edge_index() if name in ("gat", "gatv2", "transformer", "monet") else graph.edge_index_without_loops()
    extra = (graph.edge_offsets(),) if name == "monet" else ()
    expected = torch.stack([net.convolution(each, edges, *extra) for each in nodes])
    expected = net.norm(expected) if name == "gin" else expected
    torch.testing.assert_close(net(nodes, graph), expected.relu(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sage", "graph", "cheb", "gin", "gat", "gatv2", "transformer", "monet"])
def test_without_pytorch_geometric_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(PluginError, match=rf"'{name}' needs torch_geometric.*pip install 'zoo-models\[pyg\]'"):
        zoo.create("graph-classifier", encoder=name)


@pytest.mark.parametrize("name", MODELS)
def test_no_named_model_needs_pytorch_geometric(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    assert zoo.create(name, seed=0).num_parameters == zoo.models[name].parameters


def test_the_bias_of_attention_depends_on_the_relative_position_only():
    attention = make_encoder("gps", size=(3, 4)).attention
    with torch.no_grad():
        attention.table.copy_(torch.arange(attention.table.numel()).view_as(attention.table))
    bias = attention.bias()
    positions = [(row, column) for row in range(3) for column in range(4)]
    for i, (a, b) in enumerate(positions):
        for j, (c, d) in enumerate(positions):
            assert torch.equal(bias[:, i, j], attention.table[:, a - c + 2, b - d + 3])


def test_gps_refuses_a_grid_of_another_size():
    graph = PixelGraph(4, 4)
    with pytest.raises(ConfigError, match="4 x 4"):
        make_encoder("gps")(make_nodes(graph), graph)


def test_vig_uses_the_largest_difference_to_the_nearest_nodes():
    operator, graph = make_encoder("vig", k=4).convolution, PixelGraph(5, 5)
    nodes = make_nodes(graph)
    neighbours = nearest_neighbours(nodes, 4)
    for node in range(25):
        largest = (nodes[0, neighbours[0, node]] - nodes[0, node]).amax(0)
        expected = operator.linear(torch.cat([nodes[0, node], largest]))
        torch.testing.assert_close(operator(nodes)[0, node], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["gat", "gatv2", "transformer", "gps"])
def test_a_width_that_the_heads_do_not_divide_is_refused(name):
    with pytest.raises(ConfigError, match="8 is not divisible by 3"):
        make_encoder(name, heads=3)


def test_the_config_has_all_options_of_the_encoder():
    model = zoo.create("graph-classifier", encoder="gps", options={"heads": 2}, seed=0)
    assert model.config["options"] == (("heads", 2), ("expansion", 2), ("dropout", 0.0))
    rebuilt = zoo.create("graph-classifier", **json.loads(json.dumps(model.config)))
    assert rebuilt.config == model.config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": 2}, "encoder gps takes no 'head'; did you mean heads"),
        ({"heads": "two"}, "encoder gps takes heads as int"),
        ({"width": 8}, "width is an option of the model"),
    ],
)
def test_unknown_options_of_an_encoder_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        zoo.create("graph-classifier", encoder="gps", options=options)


def test_no_buffer_grows_with_the_square_of_the_number_of_pixels():
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
    result = zoo.create(name, seed=0).export(tmp_path / "model.onnx")
    print(result)
    assert result.difference <= 1e-5
