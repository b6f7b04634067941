"""Build and train paper 1's graph network in PyTorch Geometric (tutorial and fastest form) and plain torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import DenseGCNConv, GCNConv, global_mean_pool
from torch_geometric.utils import grid, to_dense_adj

BATCH, LR, DECAY = 64, 0.01, 1e-5


class Tutorial(nn.Module):
    """`GCNConv` on a batch of graphs, as in the tutorial."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(map(GCNConv, widths[:-1], widths[1:]))

    def forward(self, data: Data) -> Tensor:
        """Return logits of a batch of graphs."""
        nodes = data.x
        for index, convolution in enumerate(self.convolutions):
            nodes = convolution(nodes, data.edge_index)
            nodes = nodes.relu() if index + 1 < len(self.convolutions) else nodes
        return global_mean_pool(nodes, data.batch)


class Dense(nn.Module):
    """`DenseGCNConv` with one adjacency for all images, the fastest form."""

    def __init__(self, widths: tuple[int, ...], side: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(map(DenseGCNConv, widths[:-1], widths[1:]))
        self.register_buffer("adjacency", to_dense_adj(grid(side, side)[0]).clamp(max=1))  # (1, N, N)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of images (B, 1, H, W)."""
        nodes = images.flatten(2).mT
        for index, convolution in enumerate(self.convolutions):
            nodes = convolution(nodes, self.adjacency)
            nodes = nodes.relu() if index + 1 < len(self.convolutions) else nodes
        return nodes.mean(1)


class Plain(nn.Module):
    """Matrix products with a normalised adjacency that is computed once."""

    def __init__(self, widths: tuple[int, ...], side: int) -> None:
        super().__init__()
        adjacency = to_dense_adj(grid(side, side)[0]).clamp(max=1)[0]
        scale = adjacency.sum(1).rsqrt()
        self.register_buffer("adjacency", scale[:, None] * adjacency * scale[None, :])
        self.linears = nn.ModuleList(map(nn.Linear, widths[:-1], widths[1:]))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of images (B, 1, H, W)."""
        nodes = images.flatten(2).mT
        for index, linear in enumerate(self.linears):
            nodes = linear(self.adjacency @ nodes)
            nodes = nodes.relu() if index + 1 < len(self.linears) else nodes
        return nodes.mean(1)


def copy_weights(net: nn.Module, weights: list[Tensor], biases: list[Tensor]) -> nn.Module:
    """Copy the weights (in, out) and biases of zoo's net into a net, and return it."""
    state = [parameter for name, parameter in net.named_parameters()]
    matrices = [each for each in state if each.ndim == 2]
    vectors = [each for each in state if each.ndim == 1]
    with torch.no_grad():
        for matrix, weight in zip(matrices, weights, strict=True):
            matrix.copy_(weight.T)
        for vector, bias in zip(vectors, biases, strict=True):
            vector.copy_(bias)
    return net


def make_graphs(images: Tensor, labels: Tensor) -> list[Data]:
    """Return a `Data` object for each image, as in a data set of PyTorch Geometric."""
    edges = grid(images.shape[2], images.shape[3])[0]
    nodes = images.flatten(2).mT
    return [Data(x=nodes[index], edge_index=edges, y=labels[index : index + 1]) for index in range(len(images))]


def train_epoch(net: nn.Module, batches: Iterator[tuple[object, Tensor]], *, fused: bool) -> float:
    """Train one epoch with a new Adam, and return its mean loss."""
    optimizer = torch.optim.Adam(net.parameters(), lr=LR, weight_decay=DECAY, fused=fused)
    net.train()
    total, count = torch.zeros(()), 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(labels)
        count += len(labels)
    return float(total / count)


def iter_tensor_batches(images: Tensor, labels: Tensor, order: Tensor) -> Iterator[tuple[object, Tensor]]:
    """Yield batches indexed from tensors, which is the fastest loader in plain torch."""
    for indices in order.split(BATCH):
        yield images[indices], labels[indices]


def iter_graph_batches(data: list[Data], order: Tensor) -> Iterator[tuple[object, Tensor]]:
    """Yield batches of PyTorch Geometric's own loader, in a given order."""
    for batch in DataLoader(data, batch_size=BATCH, sampler=order.tolist()):
        yield batch, batch.y


def predict_labels(net: nn.Module, batches: Callable[[], Iterator[tuple[object, Tensor]]]) -> Tensor:
    """Return the predicted labels of all batches."""
    net.eval()
    with torch.inference_mode():
        return torch.cat([net(inputs).argmax(1) for inputs, _ in batches()])
