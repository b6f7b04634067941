"""Define the encoder of Gaussian mixture filters of an edge's direction."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.geometric import apply_batched, import_pyg


class MoNet(nn.Module):
    """Monti et al. 2017, "Geometric deep learning on graphs and manifolds using mixture model CNNs", eq. 9 to 11.

    h_i' = relu(W_0 h_i + mean over j in N(i) of sum over k of w_k(u_ij) W_k h_j + b), with
    w_k(u) = exp(-(u - mu_k)^T S_k^-1 (u - mu_k) / 2), mu and the diagonal S learned, and u the step from i to j in
    rows and columns. Nodes (B, N, width) to (B, N, width). torch_geometric's `GMMConv`.

    Args:
        width: Features of each node.
        kernels: Number of Gaussians.
    """

    def __init__(self, width: int, kernels: int = 9) -> None:
        super().__init__()
        self.convolution = import_pyg("monet").GMMConv(width, width, dim=2, kernel_size=kernels)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        return apply_batched(self.convolution, nodes, graph, graph.edge_offsets().to(nodes)).relu()
