"""Test what only the pocket encoder does; zoo's conformance kit checks the rest (zoo_plugins in pyproject.toml)."""

import torch
from zoo_pocket.net import GatedEncoder

from zoo.graph import PixelGraph


def test_closed_gates_do_not_change_the_nodes():
    graph, nodes = PixelGraph(3, 3), torch.rand(2, 9, 4)
    assert torch.equal(GatedEncoder(4, openness=-1000.0)(nodes, graph), nodes)
