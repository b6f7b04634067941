"""One group of images through a stack, forward and backward: which routine runs on what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.routines import Routines
from zoo.fused.layout import Dense, Shape, taps


class Group:
    """Writes what is done with one group of images: an image in each lane, nodes and features in memory.

    Args:
        emit: Where to write.
        shape: The stack.
        routines: What it is computed with.
        parameters: Address of the flat parameters.
        gradient: Address of this group's part of the gradient, in the parameters' order.
        workspace: Address of this thread's vectors.

    Attributes:
        vectors: How many vectors the workspace has.
        inputs: Where the inputs (N, F) of each layer are, and at the end the last one's outputs.
        logits: Where the logits (K) are.
        slopes: Where the logits' gradient (K) is.
        wanted: Where the targets (K) are.
    """

    def __init__(
        self, emit: Emitter, shape: Shape, routines: Routines, parameters: Value, gradient: Value, workspace: Value
    ) -> None:
        self._emit, self._shape, self._routines = emit, shape, routines
        self._parameters, self._gradient, self._workspace = parameters, gradient, workspace
        self.vectors = 0
        widths = [shape.channels + shape.positions, *(layer.outputs for layer in shape.layers)]
        self.inputs = [self._room(shape.nodes * width) for width in widths]
        self._filtered = [
            self._room(shape.nodes * layer.inputs) if layer.filters_first else taken
            for layer, taken in zip(shape.layers, self.inputs, strict=False)
        ]
        self._one, self._other, self._between = (self._room(shape.nodes * shape.widest) for _ in range(3))
        self._mean, self._mean_slopes = self._room(shape.pooled), self._room(shape.pooled)
        self.logits, self.slopes, self.wanted = (self._room(shape.classes) for _ in range(3))
        if shape.head is None:
            self.logits = self._mean
        self._zeros = self._table("zeros", [0.0] * shape.widest)
        self._columns = self._table("columns", taps(shape.columns))
        self._rows = self._table("rows", taps(shape.rows))
        self._shares = self._table("shares", shape.shares())

    def _room(self, vectors: int) -> Value:
        """Return the address of so many vectors of the workspace."""
        place = self._emit.row(self._workspace, self.vectors)
        self.vectors += vectors
        return place

    def _table(self, name: str, numbers: Sequence[float]) -> ir.GlobalVariable:
        kind = ir.ArrayType(self._emit.machine.scalar, len(numbers))
        variable = ir.GlobalVariable(self._emit.function.module, kind, name)
        variable.initializer = ir.Constant(kind, list(numbers))
        variable.global_constant = True
        variable.linkage = "internal"
        return variable

    def _run(self, routine: ir.Function, *arguments: Any) -> None:
        """Call a routine with addresses and Python numbers."""
        kinds = routine.function_type.args
        values = [
            each if isinstance(each, ir.Value) else ir.Constant(kind, each)
            for each, kind in zip(arguments, kinds, strict=True)
        ]
        self._emit.build.call(routine, values)

    def forward(self) -> None:
        """Write the nodes after each layer, their mean, and the logits."""
        shape = self._shape
        for index, layer in enumerate(shape.layers):
            self._layer(layer, self.inputs[index], self._filtered[index], self.inputs[index + 1])
        self._run(self._routines.average, self.inputs[-1], shape.pooled, shape.nodes, self._shares, self._mean)
        if shape.head is not None:
            self._multiply(shape.head, self._mean, self.logits, nodes=1)

    def _layer(self, layer: Dense, taken: Value, filtered: Value, given: Value) -> None:
        if layer.filters_first:
            self._propagate(taken, filtered, layer.inputs, self._zeros, -math.inf)
            self._multiply(layer, filtered, given, nodes=self._shape.nodes)
        elif layer.propagate:
            self._multiply(layer, taken, self._one, nodes=self._shape.nodes, is_plain=True)
            self._propagate(self._one, given, layer.outputs, self._bias(layer), layer.floor)
        else:
            self._multiply(layer, taken, given, nodes=self._shape.nodes)

    def _multiply(self, layer: Dense, source: Value, target: Value, *, nodes: int, is_plain: bool = False) -> None:
        finish = (self._zeros, -math.inf) if is_plain else (self._bias(layer), layer.floor)
        matrix = (self._weight(layer), layer.across, layer.along)
        self._run(self._routines.multiply, source, layer.inputs, *matrix, target, layer.outputs, nodes, *finish)

    def _propagate(self, source: Value, target: Value, width: int, bias: Value, floor: float) -> None:
        grid = (width, self._shape.height, self._shape.width, self._columns, self._rows)
        self._run(self._routines.propagate, source, self._between, target, *grid, bias, floor)

    def _weight(self, layer: Dense) -> Value:
        return self._emit.at(self._parameters, layer.weight)

    def _bias(self, layer: Dense) -> Value:
        return self._emit.at(self._parameters, layer.bias)

    def backward(self) -> None:
        """Store the gradient of all parameters, from the logits' slopes."""
        shape, slopes = self._shape, self.slopes
        if shape.head is not None:
            self._gradients(shape.head, self._mean, slopes, nodes=1)
            self._multiply_back(shape.head, slopes, self._mean_slopes, self._mean, -math.inf, nodes=1)
            slopes = self._mean_slopes
        if not shape.layers:
            return
        mask = (self.inputs[-1], shape.layers[-1].floor)
        self._run(self._routines.scatter, slopes, shape.pooled, shape.nodes, self._shares, self._one, *mask)
        here, there = self._one, self._other
        for index in reversed(range(len(shape.layers))):
            here, there = self._layer_back(index, here, there)

    def _layer_back(self, index: int, here: Value, there: Value) -> tuple[Value, Value]:
        """Store a layer's gradient from the slopes of what it gives; return where those of what it takes are."""
        layer, nodes, taken = self._shape.layers[index], self._shape.nodes, self.inputs[index]
        above = self._shape.layers[index - 1].floor if index else -math.inf
        self._run(self._routines.total, here, layer.outputs, nodes, self._place(layer.bias))
        if layer.propagate and not layer.filters_first:
            self._propagate_back(here, there, layer.outputs, here, -math.inf)
            here, there = there, here
        self._correlate(layer, self._filtered[index], here, nodes=nodes)
        if index == 0:
            return here, there
        if not layer.filters_first:
            self._multiply_back(layer, here, there, taken, above, nodes=nodes)
            return there, here
        self._multiply_back(layer, here, there, taken, -math.inf, nodes=nodes)
        self._propagate_back(there, here, layer.inputs, taken, above)
        return here, there

    def _gradients(self, layer: Dense, source: Value, slopes: Value, *, nodes: int) -> None:
        self._correlate(layer, source, slopes, nodes=nodes)
        self._run(self._routines.total, slopes, layer.outputs, nodes, self._place(layer.bias))

    def _correlate(self, layer: Dense, source: Value, slopes: Value, *, nodes: int) -> None:
        sizes = (source, layer.inputs, slopes, layer.outputs, nodes)
        self._run(self._routines.correlate, *sizes, self._place(layer.weight), layer.across, layer.along)

    def _multiply_back(
        self, layer: Dense, slopes: Value, target: Value, mask: Value, above: float, *, nodes: int
    ) -> None:
        matrix = (self._weight(layer), layer.along, layer.across)
        self._run(
            self._routines.multiply_back, slopes, layer.outputs, *matrix, target, layer.inputs, nodes, mask, above
        )

    def _propagate_back(self, slopes: Value, target: Value, width: int, mask: Value, above: float) -> None:
        grid = (width, self._shape.height, self._shape.width, self._columns, self._rows)
        self._run(self._routines.propagate_back, slopes, self._between, target, *grid, mask, above)

    def _place(self, parameter: int) -> Value:
        return self._emit.at(self._gradient, parameter)
