"""What is special about the pocket encoder; zoo's kit checks the rest (zoo_plugins in pyproject.toml)."""

import torch
from zoo_pocket.net import Gated

from zoo.graph import PixelGraph


def test_closed_gates_leave_the_nodes_as_they_are():
    graph, nodes = PixelGraph(3, 3), torch.rand(2, 9, 4)
    assert torch.equal(Gated(4, openness=-1000.0)(nodes, graph), nodes)
