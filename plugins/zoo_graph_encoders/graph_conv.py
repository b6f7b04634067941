"""Define the encoder of the first-order Weisfeiler-Leman operator."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.geometric import import_pyg


class GraphConv(nn.Module):
    """Morris et al. 2019, "Weisfeiler and Leman go neural", eq. 3.

    h_i' = relu(W_1 h_i + W_2 sum of h_j over j in N(i) + b): nodes (B, N, width) to (B, N, width). torch_geometric's
    `GraphConv`; self-loops are left out, since W_1 is applied to the node itself.

    Args:
        width: Features of each node.
        aggregation: `mean`, whose scale does not depend on the number of neighbours; the paper's `add`; or `max`.
    """

    def __init__(self, width: int, aggregation: Literal["add", "mean", "max"] = "mean") -> None:
        super().__init__()
        self.convolution = import_pyg("graph").GraphConv(width, width, aggr=aggregation)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        convolved: Tensor = self.convolution(nodes, graph.edge_index_without_loops())
        return convolved.relu()
