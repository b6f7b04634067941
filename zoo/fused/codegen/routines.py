"""Emit the routines that a stack of graph convolutions is computed with, one LLVM function each.

Nodes lie in memory as (N, F) vectors with an image in each lane. Sizes are arguments of the functions. So every
function is written once, and a program of many layers compiles as fast as one of few.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from llvmlite import ir

from zoo.fused.codegen.builder import I64, PTR, Emitter, Machine, Value
from zoo.fused.codegen.epilogue import Epilogue, EpilogueFactory, make_bias_relu, make_relu_mask


class Routines:
    """The routines of a module; each is written when it is first used."""

    def __init__(self, module: ir.Module, machine: Machine) -> None:
        self._module, self._machine = module, machine

    def _define(self, name: str, signature: str, write: Callable[..., None]) -> ir.Function:
        """Write a private function; `signature` has a letter an argument: p pointer, i integer, r real number."""
        types = {"p": PTR, "i": I64, "r": self._machine.scalar_type}
        function_type = ir.FunctionType(ir.VoidType(), [types[letter] for letter in signature])
        function = ir.Function(self._module, function_type, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        emit = Emitter(function, self._machine)
        write(emit, *function.args)
        emit.builder.ret_void()
        return function

    @cached_property
    def multiply(self) -> ir.Function:
        """Multiply nodes (N, in) by a matrix, add a bias, and raise to at least `floor`.

        A floor of 0 is ReLU, one of -inf changes nothing; NaN stays NaN.
        Arguments: source, in, matrix, its input and output strides, target, out, N, bias, floor.
        """
        return self._define("multiply", "pipiipiipr", _matmul(make_bias_relu))

    @cached_property
    def multiply_backward(self) -> ir.Function:
        """Multiply gradients (N, out) by the transposed matrix; zero where the mask (N, in) is not above a threshold.

        Arguments: gradients, out, matrix, its output and input strides, target, in, N, mask, threshold.
        """
        return self._define("multiply_back", "pipiipiipr", _matmul(make_relu_mask))

    @cached_property
    def propagate(self) -> ir.Function:
        """Multiply nodes (N, F) by the normalised adjacency, add a bias, and raise to at least `floor`.

        This is a filter of three taps along each row of the grid, then one along each column; each node has its own
        three taps. Arguments: source, scratch, target, F, H, W, taps along rows, taps along columns, bias, floor.
        """
        return self._define("propagate", "pppiiipppr", _separable_filter(make_bias_relu))

    @cached_property
    def propagate_backward(self) -> ir.Function:
        """Propagate gradients (the adjacency is symmetric); zero where the mask (N, F) is not above a threshold.

        Arguments: gradients, scratch, target, F, H, W, taps along rows, taps along columns, mask, threshold.
        """
        return self._define("propagate_back", "pppiiipppr", _separable_filter(make_relu_mask))

    @cached_property
    def weight_gradient(self) -> ir.Function:
        """Sum inputs (N, in) times output gradients (N, out) over nodes and images: the gradient of a matrix.

        Arguments: source, in, gradients, out, N, target, its input and output strides.
        """
        return self._define("correlate", "pipiipii", _weight_gradient)

    @cached_property
    def bias_gradient(self) -> ir.Function:
        """Sum gradients (N, out) over nodes and images: the gradient of a bias.

        Arguments: gradients, out, N, target.
        """
        return self._define("total", "piip", _bias_gradient)

    @cached_property
    def weighted_mean(self) -> ir.Function:
        """Sum weight times node over nodes (N, F): a mean (F). Arguments: source, F, N, weights, target."""
        return self._define("average", "piipp", _weighted_mean)

    @cached_property
    def mean_backward(self) -> ir.Function:
        """Pass the gradient (F) of the mean to nodes (N, F); zero where the mask is not above a threshold.

        Arguments: gradients, F, N, weights, target, mask, threshold.
        """
        return self._define("scatter", "piipppr", _mean_backward)


def _add_outer_product(
    emit: Emitter, values: list[Value], factors: list[Value], sums: tuple[Value, ...]
) -> list[Value]:
    """Return the sums with the product of each value and each factor added."""
    pairs = [(value, factor) for value in values for factor in factors]
    return [emit.fma(value, factor, total) for (value, factor), total in zip(pairs, sums, strict=True)]


def _matmul(epilogue: EpilogueFactory) -> Callable[..., None]:
    def write(
        emit: Emitter,
        source: Value,
        num_inputs: Value,
        matrix: Value,
        input_stride: Value,
        output_stride: Value,
        target: Value,
        num_outputs: Value,
        num_nodes: Value,
        *last: Value,
    ) -> None:
        finish = epilogue(emit, *last)

        def tile(node: Value, height: int, output: Value, width: int) -> None:
            rows = [
                emit.vector_address(source, emit.mul_ints(emit.add_ints(node, i), num_inputs)) for i in range(height)
            ]
            column = emit.address_of(matrix, emit.mul_ints(output, output_stride))

            def accumulate(k: Value, *sums: Value) -> list[Value]:
                entry = emit.address_of(column, emit.mul_ints(k, input_stride))
                values = [emit.load_vector(emit.vector_address(row, k)) for row in rows]
                factors = [
                    emit.splat(emit.load_scalar(emit.address_of(entry, emit.mul_ints(output_stride, j))))
                    for j in range(width)
                ]
                return _add_outer_product(emit, values, factors, sums)

            sums = emit.loop(num_inputs, accumulate, [emit.splat_constant(0.0)] * (height * width))
            for position, value in enumerate(sums):
                i, j = divmod(position, width)
                feature = emit.add_ints(output, j)
                index = emit.add_ints(emit.mul_ints(emit.add_ints(node, i), num_outputs), feature)
                emit.store_vector(finish(value, feature, index), emit.vector_address(target, index))

        emit.loop_register_tiles(num_nodes, num_outputs, tile)

    return write


def _separable_filter(epilogue: EpilogueFactory) -> Callable[..., None]:
    def write(
        emit: Emitter,
        source: Value,
        scratch: Value,
        target: Value,
        num_features: Value,
        height: Value,
        width: Value,
        row_taps: Value,
        column_taps: Value,
        *last: Value,
    ) -> None:
        finish = epilogue(emit, *last)

        def filter_row(row: Value) -> None:
            first = emit.mul_ints(row, width)
            _filter_line(emit, first, I64(1), width, row_taps, source, scratch, num_features, lambda value, *_: value)

        def filter_column(column: Value) -> None:
            _filter_line(emit, column, width, height, column_taps, scratch, target, num_features, finish)

        emit.loop(height, filter_row)
        emit.loop(width, filter_column)

    return write


def _filter_line(
    emit: Emitter,
    first: Value,
    step: Value,
    count: Value,
    taps: Value,
    source: Value,
    target: Value,
    num_features: Value,
    epilogue: Epilogue,
) -> None:
    """Filter the nodes first + k step, k < count, by three taps each: of the node before, itself and the one after."""

    def filter_node(k: Value) -> None:
        before = emit.builder.select(emit.builder.icmp_signed(">", k, I64(0)), emit.add_ints(k, -1), I64(0))
        after = emit.min_ints(emit.add_ints(k, 1), emit.add_ints(count, -1))
        starts = [
            emit.mul_ints(emit.add_ints(first, emit.mul_ints(each, step)), num_features) for each in (before, k, after)
        ]
        node_taps = emit.address_of(taps, emit.mul_ints(k, 3))
        weights = [emit.splat(emit.load_scalar(emit.address_of(node_taps, i))) for i in range(3)]

        def run_tile(first_feature: Value, size: int) -> None:
            for i in range(size):
                feature = emit.add_ints(first_feature, i)
                values = [
                    emit.load_vector(emit.vector_address(source, emit.add_ints(start, feature))) for start in starts
                ]
                value = emit.fma(values[0], weights[0], emit.builder.fmul(values[1], weights[1]))
                value = emit.fma(values[2], weights[2], value)
                index = emit.add_ints(starts[1], feature)
                emit.store_vector(epilogue(value, feature, index), emit.vector_address(target, index))

        emit.loop_tiles(num_features, (4, 1), run_tile)

    emit.loop(count, filter_node)


def _weight_gradient(
    emit: Emitter,
    source: Value,
    num_inputs: Value,
    output_gradients: Value,
    num_outputs: Value,
    num_nodes: Value,
    target: Value,
    input_stride: Value,
    output_stride: Value,
) -> None:
    def tile(first: Value, height: int, output: Value, width: int) -> None:
        def accumulate(node: Value, *sums: Value) -> list[Value]:
            inputs = emit.vector_address(source, emit.add_ints(emit.mul_ints(node, num_inputs), first))
            gradients = emit.vector_address(output_gradients, emit.add_ints(emit.mul_ints(node, num_outputs), output))
            values = [emit.load_vector(emit.vector_address(inputs, i)) for i in range(height)]
            factors = [emit.load_vector(emit.vector_address(gradients, j)) for j in range(width)]
            return _add_outer_product(emit, values, factors, sums)

        totals = emit.sum_lanes(emit.loop(num_nodes, accumulate, [emit.splat_constant(0.0)] * (height * width)))
        for position, number in enumerate(totals):
            i, j = divmod(position, width)
            row = emit.mul_ints(emit.add_ints(first, i), input_stride)
            index = emit.add_ints(row, emit.mul_ints(emit.add_ints(output, j), output_stride))
            emit.store_scalar(number, emit.address_of(target, index))

    emit.loop_register_tiles(num_inputs, num_outputs, tile)


def _bias_gradient(emit: Emitter, output_gradients: Value, num_outputs: Value, num_nodes: Value, target: Value) -> None:
    def run_tile(output: Value, width: int) -> None:
        def accumulate(node: Value, *sums: Value) -> list[Value]:
            address = emit.vector_address(output_gradients, emit.add_ints(emit.mul_ints(node, num_outputs), output))
            return [emit.builder.fadd(sums[j], emit.load_vector(emit.vector_address(address, j))) for j in range(width)]

        totals = emit.sum_lanes(emit.loop(num_nodes, accumulate, [emit.splat_constant(0.0)] * width))
        for j, number in enumerate(totals):
            emit.store_scalar(number, emit.address_of(target, emit.add_ints(output, j)))

    emit.loop_tiles(num_outputs, (emit.machine.tile_columns, 1), run_tile)


def _weighted_mean(
    emit: Emitter, source: Value, num_features: Value, num_nodes: Value, node_weights: Value, target: Value
) -> None:
    def run_tile(first: Value, size: int) -> None:
        def accumulate(node: Value, *sums: Value) -> list[Value]:
            weight = emit.splat(emit.load_scalar(emit.address_of(node_weights, node)))
            address = emit.vector_address(source, emit.add_ints(emit.mul_ints(node, num_features), first))
            return [emit.fma(emit.load_vector(emit.vector_address(address, i)), weight, sums[i]) for i in range(size)]

        for i, value in enumerate(emit.loop(num_nodes, accumulate, [emit.splat_constant(0.0)] * size)):
            emit.store_vector(value, emit.vector_address(target, emit.add_ints(first, i)))

    emit.loop_tiles(num_features, (emit.machine.tile_columns, 1), run_tile)


def _mean_backward(
    emit: Emitter,
    mean_gradients: Value,
    num_features: Value,
    num_nodes: Value,
    node_weights: Value,
    target: Value,
    *last: Value,
) -> None:
    finish = make_relu_mask(emit, *last)

    def scatter_node(node: Value) -> None:
        weight = emit.splat(emit.load_scalar(emit.address_of(node_weights, node)))
        start = emit.mul_ints(node, num_features)

        def scatter_feature(feature: Value) -> None:
            index = emit.add_ints(start, feature)
            value = emit.builder.fmul(emit.load_vector(emit.vector_address(mean_gradients, feature)), weight)
            emit.store_vector(finish(value, feature, index), emit.vector_address(target, index))

        emit.loop(num_features, scatter_feature)

    emit.loop(num_nodes, scatter_node)
