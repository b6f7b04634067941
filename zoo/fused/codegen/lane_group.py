"""Emit the forward and backward pass of one group of images through a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.routines import Routines
from zoo.fused.layout import Dense, StackLayout, taps


class LaneGroup:
    """Emits calls of routines for one group of images: one image in each lane, nodes and features in memory.

    Args:
        emit: The function to write into.
        layout: The layout of the stack.
        routines: The routines to call.
        parameters: Address of the flat parameters.
        gradient: Address of this group's part of the gradient, in the order of the parameters.
        workspace: Address of this thread's vectors.

    Attributes:
        num_vectors: Number of vectors of the workspace in use.
        inputs: Addresses of the inputs (N, F) of each layer; the last address is that of the last layer's outputs.
        logits: Address of the logits (K).
        logit_gradients: Address of the gradient of the logits (K).
        targets: Address of the targets (K).
    """

    def __init__(
        self,
        emit: Emitter,
        layout: StackLayout,
        routines: Routines,
        parameters: Value,
        gradient: Value,
        workspace: Value,
    ) -> None:
        self._emit, self._layout, self._routines = emit, layout, routines
        self._parameters, self._gradient, self._workspace = parameters, gradient, workspace
        self.num_vectors = 0
        widths = [layout.num_channels + layout.num_positions, *(layer.out_features for layer in layout.layers)]
        self.inputs = [self._allocate(layout.num_nodes * width) for width in widths]
        self._propagated = [
            self._allocate(layout.num_nodes * layer.in_features) if layer.is_propagated_first else inputs
            for layer, inputs in zip(layout.layers, self.inputs, strict=False)
        ]
        self._buffer_a, self._buffer_b, self._row_filtered = (
            self._allocate(layout.num_nodes * layout.max_features) for _ in range(3)
        )
        self._mean, self._mean_gradients = self._allocate(layout.num_pooled), self._allocate(layout.num_pooled)
        self.logits, self.logit_gradients, self.targets = (self._allocate(layout.num_classes) for _ in range(3))
        if layout.head is None:
            self.logits = self._mean
        self._zeros = self._add_constant_array("zeros", [0.0] * layout.max_features)
        self._columns = self._add_constant_array("columns", taps(layout.columns))
        self._rows = self._add_constant_array("rows", taps(layout.rows))
        self._node_weights = self._add_constant_array("shares", layout.node_weights())

    def _allocate(self, vectors: int) -> Value:
        """Reserve vectors of the workspace and return their address."""
        address = self._emit.vector_address(self._workspace, self.num_vectors)
        self.num_vectors += vectors
        return address

    def _add_constant_array(self, name: str, numbers: Sequence[float]) -> ir.GlobalVariable:
        array_type = ir.ArrayType(self._emit.machine.scalar_type, len(numbers))
        variable = ir.GlobalVariable(self._emit.function.module, array_type, name)
        variable.initializer = ir.Constant(array_type, list(numbers))
        variable.global_constant = True
        variable.linkage = "internal"
        return variable

    def _call(self, routine: ir.Function, *arguments: Any) -> None:
        """Call a routine with addresses and Python numbers."""
        values = [
            value if isinstance(value, ir.Value) else ir.Constant(value_type, value)
            for value, value_type in zip(arguments, routine.function_type.args, strict=True)
        ]
        self._emit.builder.call(routine, values)

    def forward(self) -> None:
        """Compute the nodes after each layer, their weighted mean, and the logits."""
        layout = self._layout
        for index, layer in enumerate(layout.layers):
            self._forward_layer(layer, self.inputs[index], self._propagated[index], self.inputs[index + 1])
        self._call(
            self._routines.weighted_mean,
            self.inputs[-1],
            layout.num_pooled,
            layout.num_nodes,
            self._node_weights,
            self._mean,
        )
        if layout.head is not None:
            self._multiply(layout.head, self._mean, self.logits, num_nodes=1)

    def _forward_layer(self, layer: Dense, inputs: Value, propagated: Value, outputs: Value) -> None:
        if layer.is_propagated_first:
            self._propagate(inputs, propagated, layer.in_features, self._zeros, -math.inf)
            self._multiply(layer, propagated, outputs, num_nodes=self._layout.num_nodes)
        elif layer.propagate:
            self._multiply(layer, inputs, self._buffer_a, num_nodes=self._layout.num_nodes, linear=True)
            self._propagate(self._buffer_a, outputs, layer.out_features, self._bias_address(layer), layer.floor)
        else:
            self._multiply(layer, inputs, outputs, num_nodes=self._layout.num_nodes)

    def _multiply(self, layer: Dense, source: Value, target: Value, *, num_nodes: int, linear: bool = False) -> None:
        bias_floor = (self._zeros, -math.inf) if linear else (self._bias_address(layer), layer.floor)
        matrix = (self._weight_address(layer), layer.input_stride, layer.output_stride)
        self._call(
            self._routines.multiply,
            source,
            layer.in_features,
            *matrix,
            target,
            layer.out_features,
            num_nodes,
            *bias_floor,
        )

    def _propagate(self, source: Value, target: Value, width: int, bias: Value, floor: float) -> None:
        grid = (width, self._layout.height, self._layout.width, self._columns, self._rows)
        self._call(self._routines.propagate, source, self._row_filtered, target, *grid, bias, floor)

    def _weight_address(self, layer: Dense) -> Value:
        return self._emit.address_of(self._parameters, layer.weight_offset)

    def _bias_address(self, layer: Dense) -> Value:
        return self._emit.address_of(self._parameters, layer.bias_offset)

    def backward(self) -> None:
        """Store the gradient of all parameters, from the gradient of the logits."""
        layout, output_gradients = self._layout, self.logit_gradients
        if layout.head is not None:
            self._store_gradients(layout.head, self._mean, output_gradients, num_nodes=1)
            self._multiply_backward(
                layout.head, output_gradients, self._mean_gradients, self._mean, -math.inf, num_nodes=1
            )
            output_gradients = self._mean_gradients
        if not layout.layers:
            return
        mask = (self.inputs[-1], layout.layers[-1].floor)
        self._call(
            self._routines.mean_backward,
            output_gradients,
            layout.num_pooled,
            layout.num_nodes,
            self._node_weights,
            self._buffer_a,
            *mask,
        )
        gradients, scratch = self._buffer_a, self._buffer_b
        for index in reversed(range(len(layout.layers))):
            gradients, scratch = self._backward_layer(index, gradients, scratch)

    def _backward_layer(self, index: int, gradients: Value, scratch: Value) -> tuple[Value, Value]:
        """Store the gradient of a layer's parameters, given that of its outputs.

        Returns:
            The buffer with the gradient of the layer's inputs, and the other buffer.
        """
        layer, num_nodes, inputs = self._layout.layers[index], self._layout.num_nodes, self.inputs[index]
        threshold = self._layout.layers[index - 1].floor if index else -math.inf
        self._call(
            self._routines.bias_gradient,
            gradients,
            layer.out_features,
            num_nodes,
            self._gradient_address(layer.bias_offset),
        )
        if layer.propagate and not layer.is_propagated_first:
            self._propagate_backward(gradients, scratch, layer.out_features, gradients, -math.inf)
            gradients, scratch = scratch, gradients
        self._store_weight_gradient(layer, self._propagated[index], gradients, num_nodes=num_nodes)
        if index == 0:
            return gradients, scratch
        if not layer.is_propagated_first:
            self._multiply_backward(layer, gradients, scratch, inputs, threshold, num_nodes=num_nodes)
            return scratch, gradients
        self._multiply_backward(layer, gradients, scratch, inputs, -math.inf, num_nodes=num_nodes)
        self._propagate_backward(scratch, gradients, layer.in_features, inputs, threshold)
        return gradients, scratch

    def _store_gradients(self, layer: Dense, source: Value, output_gradients: Value, *, num_nodes: int) -> None:
        self._store_weight_gradient(layer, source, output_gradients, num_nodes=num_nodes)
        self._call(
            self._routines.bias_gradient,
            output_gradients,
            layer.out_features,
            num_nodes,
            self._gradient_address(layer.bias_offset),
        )

    def _store_weight_gradient(self, layer: Dense, source: Value, output_gradients: Value, *, num_nodes: int) -> None:
        sizes = (source, layer.in_features, output_gradients, layer.out_features, num_nodes)
        self._call(
            self._routines.weight_gradient,
            *sizes,
            self._gradient_address(layer.weight_offset),
            layer.input_stride,
            layer.output_stride,
        )

    def _multiply_backward(
        self, layer: Dense, output_gradients: Value, target: Value, mask: Value, threshold: float, *, num_nodes: int
    ) -> None:
        matrix = (self._weight_address(layer), layer.output_stride, layer.input_stride)
        self._call(
            self._routines.multiply_backward,
            output_gradients,
            layer.out_features,
            *matrix,
            target,
            layer.in_features,
            num_nodes,
            mask,
            threshold,
        )

    def _propagate_backward(
        self, output_gradients: Value, target: Value, width: int, mask: Value, threshold: float
    ) -> None:
        grid = (width, self._layout.height, self._layout.width, self._columns, self._rows)
        self._call(
            self._routines.propagate_backward, output_gradients, self._row_filtered, target, *grid, mask, threshold
        )

    def _gradient_address(self, offset: int) -> Value:
        return self._emit.address_of(self._gradient, offset)
