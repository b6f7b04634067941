"""Define the GraphSAGE encoder."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.geometric import import_pyg


class Sage(nn.Module):
    """GraphSAGE (Hamilton, Ying and Leskovec 2017, algorithm 1), with all neighbours instead of a sample.

    h_i' = relu(W_1 h_i + W_2 aggregate(h_j for j in N(i)) + b): nodes (B, N, width) to (B, N, width).
    torch_geometric's `SAGEConv`; self-loops are left out, since W_1 is applied to the node itself.

    Args:
        width: Features of each node.
        aggregation: `mean` or `max`.
    """

    def __init__(self, width: int, aggregation: Literal["mean", "max"] = "mean") -> None:
        super().__init__()
        self.convolution = import_pyg("sage").SAGEConv(width, width, aggr=aggregation)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        convolved: Tensor = self.convolution(nodes, graph.edge_index_without_loops())
        return convolved.relu()
