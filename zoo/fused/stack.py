"""Describe a net as a stack of graph convolutions over one grid, so that it can be compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from torch import Tensor
from torch.nn import Linear, Parameter

from zoo.fused.layout import Dense, StackLayout
from zoo.graph import PixelGraph


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer H' = A H W + b, or H W + b, optionally followed by ReLU.

    Args:
        weight: The matrix: (inputs, outputs), or (outputs, inputs) as `torch.nn.Linear` stores it.
        bias: The bias (outputs).
        propagate: Whether the nodes are propagated over the graph; see `PixelGraph.propagate`.
        relu: Whether ReLU follows.
        transposed: Whether the matrix is (outputs, inputs).
    """

    weight: Parameter
    bias: Parameter
    propagate: bool = True
    relu: bool = True
    transposed: bool = False

    @classmethod
    def from_linear(cls, linear: Linear, *, propagate: bool = True, relu: bool = True) -> Layer:
        """Return a layer with the parameters of a linear module that has a bias."""
        weight, bias = linear.weight, linear.bias
        assert isinstance(weight, Parameter)
        assert isinstance(bias, Parameter)
        return cls(weight=weight, bias=bias, propagate=propagate, relu=relu, transposed=True)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A net of layers over the nodes, the mean over the nodes, and optionally a last linear layer.

    Args:
        graph: The grid.
        channels: Number of image channels, which are the first features of each node.
        layers: The layers applied to the nodes, in order.
        head: The layer applied to the mean; its `propagate` and `relu` are not used.
        positions: Constant features of each node after the channels, (N, P).
    """

    graph: PixelGraph
    channels: int
    layers: Sequence[Layer]
    head: Layer | None = None
    positions: Tensor | None = None

    def parameters(self) -> list[Parameter]:
        """Return the parameters, in the order of the layers."""
        layers = [*self.layers, *([self.head] if self.head else [])]
        return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]

    def layout(self) -> StackLayout:
        """Return the shapes and offsets that a program is compiled for.

        A last layer without ReLU is applied to the mean: 1^T A (H W) / N = ((1^T A / N) H) W, N times less work.
        """
        offset, layers = 0, []
        for layer in self.layers:
            layers.append(_to_dense(layer, offset))
            offset += layer.weight.numel() + layer.bias.numel()
        head = _to_dense(replace(self.head, propagate=False, relu=False), offset) if self.head else None
        if head is None and layers and not layers[-1].relu:
            head = layers.pop()
        return StackLayout(
            rows=_to_tuples(self.graph.rows),
            columns=_to_tuples(self.graph.columns),
            num_channels=self.channels,
            num_positions=0 if self.positions is None else self.positions.shape[1],
            layers=tuple(layers),
            head=head,
            num_parameters=sum(parameter.numel() for parameter in self.parameters()),
            real_type="double" if self.parameters()[0].dtype.itemsize == 8 else "float",
        )


@runtime_checkable
class SupportsStack(Protocol):
    """A net that is a stack of graph convolutions."""

    def stack(self) -> Stack | None:
        """Return the description of the net, or None where its config makes it something else."""


def _to_dense(layer: Layer, offset: int) -> Dense:
    inputs, outputs = layer.weight.shape[::-1] if layer.transposed else layer.weight.shape
    return Dense(
        in_features=inputs,
        out_features=outputs,
        weight_offset=offset,
        bias_offset=offset + layer.weight.numel(),
        input_stride=1 if layer.transposed else outputs,
        output_stride=inputs if layer.transposed else 1,
        propagate=layer.propagate,
        relu=layer.relu,
    )


def _to_tuples(path: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(line) for line in path.double().tolist())
