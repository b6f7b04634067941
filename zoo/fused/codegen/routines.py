"""What a stack of graph convolutions is computed with, each a function of LLVM for sizes known when it is called.

Nodes lie in memory as (N, F) vectors, with an image in each lane. Every function is written once, so that a program of
many layers compiles as fast as one of few.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from llvmlite import ir

from zoo.fused.codegen.builder import I64, PTR, Emitter, Machine, Value

Epilogue = Callable[[Value, Value, Value], Value]
"""Takes a value, its feature and its place among the vectors; returns what is written."""
EpilogueFactory = Callable[[Emitter, Value, Value], Epilogue]
"""Makes a `Finish` from a routine's last two arguments: an address and a number."""


class Routines:
    """Writes functions into a module as they are asked for."""

    def __init__(self, module: ir.Module, machine: Machine) -> None:
        self._module, self._machine = module, machine

    def _define(self, name: str, kinds: str, write: Callable[..., None]) -> ir.Function:
        """Write a private function; `kinds` has a letter an argument: p a pointer, i a whole number, r a number."""
        types = {"p": PTR, "i": I64, "r": self._machine.scalar_type}
        kind = ir.FunctionType(ir.VoidType(), [types[letter] for letter in kinds])
        function = ir.Function(self._module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        emit = Emitter(function, self._machine)
        write(emit, *function.args)
        emit.builder.ret_void()
        return function

    @cached_property
    def multiply(self) -> ir.Function:
        """Nodes (N, in) times a matrix, plus bias, at least `floor`: 0 is ReLU, -inf nothing, and NaN stays NaN.

        Arguments: source, in, matrix, its steps across and along, target, out, N, bias, floor.
        """
        return self._define("multiply", "pipiipiipr", _matmul(_bias_relu))

    @cached_property
    def multiply_backward(self) -> ir.Function:
        """Slopes (N, out) times the transposed matrix; zero where the mask (N, in) is not above a number.

        Arguments: slopes, out, matrix, its steps along and across, target, in, N, mask, number.
        """
        return self._define("multiply_back", "pipiipiipr", _matmul(_relu_mask))

    @cached_property
    def propagate(self) -> ir.Function:
        """The normalised adjacency times nodes (N, F), plus bias, at least `floor`.

        A filter of three along each row of the grid, then one along each column, whose factors are three a place.
        Arguments: source, between, target, F, H, W, factors along rows, factors along columns, bias, floor.
        """
        return self._define("propagate", "pppiiipppr", _separable_filter(_bias_relu))

    @cached_property
    def propagate_backward(self) -> ir.Function:
        """The same of slopes, the adjacency being symmetric; zero where the mask (N, F) is not above a number.

        Arguments: slopes, between, target, F, H, W, factors along rows, factors along columns, mask, number.
        """
        return self._define("propagate_back", "pppiiipppr", _separable_filter(_relu_mask))

    @cached_property
    def weight_gradient(self) -> ir.Function:
        """A matrix's gradient: over nodes and images, the sum of what came in (N, in) times slopes (N, out).

        Arguments: source, in, slopes, out, N, target, its steps across and along.
        """
        return self._define("correlate", "pipiipii", _weight_gradient)

    @cached_property
    def bias_gradient(self) -> ir.Function:
        """A bias's gradient: the sum of slopes (N, out) over nodes and images. Arguments: slopes, out, N, target."""
        return self._define("total", "piip", _bias_gradient)

    @cached_property
    def weighted_mean(self) -> ir.Function:
        """The sum over nodes (N, F) of share times node: (F). Arguments: source, F, N, shares, target."""
        return self._define("average", "piipp", _weighted_mean)

    @cached_property
    def mean_backward(self) -> ir.Function:
        """Slopes (F) of the average to nodes (N, F), zero where the mask is not above a number.

        Arguments: slopes, F, N, shares, target, mask, number.
        """
        return self._define("scatter", "piipppr", _mean_backward)


def _bias_relu(emit: Emitter, bias: Value, floor: Value) -> Epilogue:
    least = emit.splat(floor)

    def finish(value: Value, feature: Value, here: Value) -> Value:
        value = emit.builder.fadd(value, emit.splat(emit.load_scalar(emit.address_of(bias, feature))))
        return emit.builder.select(emit.builder.fcmp_ordered("<", value, least), least, value)

    return finish


def _relu_mask(emit: Emitter, mask: Value, number: Value) -> Epilogue:
    least = emit.splat(number)

    def finish(value: Value, feature: Value, here: Value) -> Value:
        is_above = emit.builder.fcmp_ordered(">", emit.load_vector(emit.vector_address(mask, here)), least)
        return emit.builder.select(is_above, value, emit.splat_constant(0.0))

    return finish


def _loop_register_tiles(
    emit: Emitter, rows: Value, columns: Value, tile: Callable[[Value, int, Value, int], None]
) -> None:
    """Run `tile(row, height, column, width)` over a matrix, in register tiles and then in single rows and columns."""
    machine = emit.machine
    emit.loop_tiles(
        rows,
        (machine.tile_rows, 1),
        lambda row, height: emit.loop_tiles(
            columns, (machine.tile_columns, 1), lambda column, width: tile(row, height, column, width)
        ),
    )


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
        inputs: Value,
        matrix: Value,
        across: Value,
        along: Value,
        target: Value,
        outputs: Value,
        nodes: Value,
        *last: Value,
    ) -> None:
        finish = epilogue(emit, *last)

        def tile(node: Value, height: int, output: Value, width: int) -> None:
            lines = [emit.vector_address(source, emit.mul_ints(emit.add_ints(node, i), inputs)) for i in range(height)]
            column = emit.address_of(matrix, emit.mul_ints(output, along))

            def term(k: Value, *sums: Value) -> list[Value]:
                entry = emit.address_of(column, emit.mul_ints(k, across))
                values = [emit.load_vector(emit.vector_address(line, k)) for line in lines]
                factors = [
                    emit.splat(emit.load_scalar(emit.address_of(entry, emit.mul_ints(along, j)))) for j in range(width)
                ]
                return _add_outer_product(emit, values, factors, sums)

            for place, value in enumerate(emit.loop(inputs, term, [emit.splat_constant(0.0)] * (height * width))):
                i, j = divmod(place, width)
                feature = emit.add_ints(output, j)
                here = emit.add_ints(emit.mul_ints(emit.add_ints(node, i), outputs), feature)
                emit.store_vector(finish(value, feature, here), emit.vector_address(target, here))

        _loop_register_tiles(emit, nodes, outputs, tile)

    return write


def _separable_filter(epilogue: EpilogueFactory) -> Callable[..., None]:
    def write(
        emit: Emitter,
        source: Value,
        between: Value,
        target: Value,
        width: Value,
        height: Value,
        across: Value,
        columns: Value,
        rows: Value,
        *last: Value,
    ) -> None:
        finish = epilogue(emit, *last)
        emit.loop(
            height,
            lambda r: _filter_line(
                emit, emit.mul_ints(r, across), I64(1), across, columns, source, between, width, lambda value, *_: value
            ),
        )
        emit.loop(across, lambda c: _filter_line(emit, c, across, height, rows, between, target, width, finish))

    return write


def _filter_line(
    emit: Emitter,
    first: Value,
    step: Value,
    count: Value,
    factors: Value,
    source: Value,
    target: Value,
    width: Value,
    epilogue: Epilogue,
) -> None:
    """Filter the nodes first + k step, k < count, by three factors a place."""

    def at(k: Value) -> None:
        before = emit.builder.select(emit.builder.icmp_signed(">", k, I64(0)), emit.add_ints(k, -1), I64(0))
        after = emit.min_ints(emit.add_ints(k, 1), emit.add_ints(count, -1))
        starts = [emit.mul_ints(emit.add_ints(first, emit.mul_ints(each, step)), width) for each in (before, k, after)]
        three = emit.address_of(factors, emit.mul_ints(k, 3))
        weights = [emit.splat(emit.load_scalar(emit.address_of(three, i))) for i in range(3)]

        def some(feature: Value, size: int) -> None:
            for i in range(size):
                place = emit.add_ints(feature, i)
                values = [
                    emit.load_vector(emit.vector_address(source, emit.add_ints(start, place))) for start in starts
                ]
                value = emit.fma(values[0], weights[0], emit.builder.fmul(values[1], weights[1]))
                value = emit.fma(values[2], weights[2], value)
                here = emit.add_ints(starts[1], place)
                emit.store_vector(epilogue(value, place, here), emit.vector_address(target, here))

        emit.loop_tiles(width, (4, 1), some)

    emit.loop(count, at)


def _weight_gradient(
    emit: Emitter,
    source: Value,
    inputs: Value,
    output_gradients: Value,
    outputs: Value,
    nodes: Value,
    target: Value,
    across: Value,
    along: Value,
) -> None:
    def tile(first: Value, height: int, output: Value, width: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            left = emit.vector_address(source, emit.add_ints(emit.mul_ints(node, inputs), first))
            right = emit.vector_address(output_gradients, emit.add_ints(emit.mul_ints(node, outputs), output))
            values = [emit.load_vector(emit.vector_address(left, i)) for i in range(height)]
            factors = [emit.load_vector(emit.vector_address(right, j)) for j in range(width)]
            return _add_outer_product(emit, values, factors, sums)

        totals = emit.sum_lanes(emit.loop(nodes, term, [emit.splat_constant(0.0)] * (height * width)))
        for place, number in enumerate(totals):
            i, j = divmod(place, width)
            here = emit.add_ints(
                emit.mul_ints(emit.add_ints(first, i), across), emit.mul_ints(emit.add_ints(output, j), along)
            )
            emit.store_scalar(number, emit.address_of(target, here))

    _loop_register_tiles(emit, inputs, outputs, tile)


def _bias_gradient(emit: Emitter, output_gradients: Value, outputs: Value, nodes: Value, target: Value) -> None:
    def some(output: Value, width: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            here = emit.vector_address(output_gradients, emit.add_ints(emit.mul_ints(node, outputs), output))
            return [emit.builder.fadd(sums[j], emit.load_vector(emit.vector_address(here, j))) for j in range(width)]

        for j, number in enumerate(emit.sum_lanes(emit.loop(nodes, term, [emit.splat_constant(0.0)] * width))):
            emit.store_scalar(number, emit.address_of(target, emit.add_ints(output, j)))

    emit.loop_tiles(outputs, (emit.machine.tile_columns, 1), some)


def _weighted_mean(
    emit: Emitter, source: Value, width: Value, nodes: Value, node_weights: Value, target: Value
) -> None:
    def some(first: Value, size: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            share = emit.splat(emit.load_scalar(emit.address_of(node_weights, node)))
            here = emit.vector_address(source, emit.add_ints(emit.mul_ints(node, width), first))
            return [emit.fma(emit.load_vector(emit.vector_address(here, i)), share, sums[i]) for i in range(size)]

        for i, value in enumerate(emit.loop(nodes, term, [emit.splat_constant(0.0)] * size)):
            emit.store_vector(value, emit.vector_address(target, emit.add_ints(first, i)))

    emit.loop_tiles(width, (emit.machine.tile_columns, 1), some)


def _mean_backward(
    emit: Emitter, mean_gradients: Value, width: Value, nodes: Value, node_weights: Value, target: Value, *last: Value
) -> None:
    finish = _relu_mask(emit, *last)

    def at(node: Value) -> None:
        share = emit.splat(emit.load_scalar(emit.address_of(node_weights, node)))
        start = emit.mul_ints(node, width)

        def feature(f: Value) -> None:
            here = emit.add_ints(start, f)
            value = emit.builder.fmul(emit.load_vector(emit.vector_address(mean_gradients, f)), share)
            emit.store_vector(finish(value, f, here), emit.vector_address(target, here))

        emit.loop(width, feature)

    emit.loop(nodes, at)
