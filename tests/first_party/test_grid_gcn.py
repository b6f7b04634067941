"""`gcn-7x7` computes the same as a network built with PyTorch Geometric."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from zoo.errors import ConfigError
from zoo.graph import PixelGraph
from zoo_grid_gcn.net import GridGCN

geometric = pytest.importorskip("torch_geometric", reason="pip install 'zoo-models[pyg]'")


class Reference(nn.Module):
    """Paper 1's network, built from PyTorch Geometric's layers."""

    def __init__(self, widths):
        super().__init__()
        from torch_geometric.nn import GCNConv

        self.convolutions = nn.ModuleList(map(GCNConv, widths[:-1], widths[1:]))

    def forward(self, images):
        from torch_geometric.data import Batch, Data
        from torch_geometric.nn import global_mean_pool
        from torch_geometric.utils import grid

        edges, _ = grid(*images.shape[2:])
        batch = Batch.from_data_list([Data(x=image.flatten(1).T, edge_index=edges) for image in images])
        nodes = batch.x
        for index, convolution in enumerate(self.convolutions):
            nodes = convolution(nodes, batch.edge_index)
            nodes = nodes.relu() if index < len(self.convolutions) - 1 else nodes
        return global_mean_pool(nodes, batch.batch)


def make_pair(seed, **config):
    """Return zoo's net and the reference with the same weights."""
    net = zoo.create("gcn-7x7", seed=seed, **config).net
    generator = torch.Generator().manual_seed(seed)
    for convolution in net.convolutions:
        convolution.bias.data.uniform_(-1, 1, generator=generator)
    reference = Reference([net.convolutions[0].weight.shape[0], *(c.weight.shape[1] for c in net.convolutions)])
    for convolution, expected in zip(net.convolutions, reference.convolutions, strict=True):
        expected.lin.weight.data = convolution.weight.data.T.clone()
        expected.bias.data = convolution.bias.data.clone()
    return net, reference


CONFIGS = [{}, {"hidden": (8, 32)}, {"hidden": (32, 16, 8)}, {"channels": 3, "size": (5, 9)}, {"size": 17}]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_logits_and_gradients_equal_those_of_pytorch_geometric(seed, config):
    net, reference = make_pair(seed, **config)
    shape = (16, config.get("channels", 1), net.grid.height, net.grid.width)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(16) % 10
    actual, expected = net(images), reference(images)
    for logits in (actual, expected):
        F.cross_entropy(logits, labels).backward()
    logit_gap = float((actual - expected).detach().abs().max())
    gradient_gap = max(
        float((convolution.weight.grad - other.lin.weight.grad.T).abs().max())
        for convolution, other in zip(net.convolutions, reference.convolutions, strict=True)
    )
    print(f"largest difference: logits {logit_gap:.1e}, gradients {gradient_gap:.1e}")
    assert logit_gap <= 1e-5
    assert gradient_gap <= 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 7), (5, 9), (28, 28)], ids=str)
def test_the_edges_equal_those_of_pytorch_geometric(size):
    from torch_geometric.utils import grid

    expected = {tuple(edge) for edge in grid(*size)[0].T.tolist()}
    edges = {tuple(edge) for edge in PixelGraph(*size).edge_index().T.tolist()}
    assert edges == expected
    assert len(edges) == (3 * size[0] - 2) * (3 * size[1] - 2)


def test_the_paper_counts_361_edges_at_7x7():
    assert PixelGraph(7, 7).edge_index().shape == (2, 361)


@pytest.mark.parametrize("num_turns", range(1, 4))
def test_the_network_is_invariant_under_the_symmetries_of_the_square(num_turns):
    net = zoo.create("gcn-7x7", seed=0).net
    images = torch.rand(8, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    for changed in (images.rot90(num_turns, (2, 3)), images.rot90(num_turns, (2, 3)).flip(3)):
        torch.testing.assert_close(net(changed), net(images), rtol=1e-5, atol=1e-6)


def test_last_relu_applies_relu_after_the_last_convolution():
    images = torch.rand(4, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    assert float(zoo.create("gcn-7x7", seed=0, last_relu=True).logits(images).min()) >= 0


def test_biases_are_random_if_bias_is_above_0():
    biases = torch.cat([each.bias for each in GridGCN((7, 7), bias=0.5).convolutions])
    assert biases.abs().max() <= 0.5
    assert len(biases.unique()) == len(biases)
    assert not torch.cat([each.bias for each in GridGCN((7, 7)).convolutions]).any()
    with pytest.raises(ConfigError, match="at least 0"):
        GridGCN((7, 7), bias=-1.0)
