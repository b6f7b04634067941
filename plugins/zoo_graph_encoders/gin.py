"""Define the encoder of the graph isomorphism network."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.block import NodeNorm
from zoo_graph_encoders.geometric import import_pyg


class GIN(nn.Module):
    """Xu et al. 2019, "How powerful are graph neural networks?", eq. 4.1, with batch normalisation as in section 7.

    h_i' = relu(norm(MLP((1 + eps) h_i + sum of h_j over j in N(i)))), eps learned: nodes (B, N, width) to
    (B, N, width). torch_geometric's `GINConv`, without self-loops.

    Args:
        width: Features of each node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        perceptron = nn.Sequential(nn.Linear(width, width), NodeNorm(width), nn.ReLU(), nn.Linear(width, width))
        self.convolution = import_pyg("gin").GINConv(perceptron, train_eps=True)
        self.norm = NodeNorm(width)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        normalised: Tensor = self.norm(self.convolution(nodes, graph.edge_index_without_loops()))
        return normalised.relu()
