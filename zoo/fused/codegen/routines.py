"""What a stack of graph convolutions is computed with, each a function of LLVM for sizes known when it is called.

Nodes lie in memory as (N, F) vectors, with an image in each lane. Every function is written once, so that a program of
many layers compiles as fast as one of few.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from llvmlite import ir

from zoo.fused.codegen.builder import I64, PTR, Emitter, Machine, Value

Finish = Callable[[Value, Value, Value], Value]
"""Takes a value, its feature and its place among the vectors; returns what is written."""
Ending = Callable[[Emitter, Value, Value], Finish]
"""Makes a `Finish` from a routine's last two arguments: an address and a number."""


class Routines:
    """Writes functions into a module as they are asked for."""

    def __init__(self, module: ir.Module, machine: Machine) -> None:
        self._module, self._machine = module, machine

    def _written(self, name: str, kinds: str, write: Callable[..., None]) -> ir.Function:
        """Write a private function; `kinds` has a letter an argument: p a pointer, i a whole number, r a number."""
        types = {"p": PTR, "i": I64, "r": self._machine.scalar}
        kind = ir.FunctionType(ir.VoidType(), [types[letter] for letter in kinds])
        function = ir.Function(self._module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        emit = Emitter(function, self._machine)
        write(emit, *function.args)
        emit.build.ret_void()
        return function

    @cached_property
    def multiply(self) -> ir.Function:
        """Nodes (N, in) times a matrix, plus bias, at least `floor`: 0 is ReLU, -inf nothing, and NaN stays NaN.

        Arguments: source, in, matrix, its steps across and along, target, out, N, bias, floor.
        """
        return self._written("multiply", "pipiipiipr", _product(_raised))

    @cached_property
    def multiply_back(self) -> ir.Function:
        """Slopes (N, out) times the transposed matrix; zero where the mask (N, in) is not above a number.

        Arguments: slopes, out, matrix, its steps along and across, target, in, N, mask, number.
        """
        return self._written("multiply_back", "pipiipiipr", _product(_masked))

    @cached_property
    def propagate(self) -> ir.Function:
        """The normalised adjacency times nodes (N, F), plus bias, at least `floor`.

        A filter of three along each row of the grid, then one along each column, whose factors are three a place.
        Arguments: source, between, target, F, H, W, factors along rows, factors along columns, bias, floor.
        """
        return self._written("propagate", "pppiiipppr", _filter(_raised))

    @cached_property
    def propagate_back(self) -> ir.Function:
        """The same of slopes, the adjacency being symmetric; zero where the mask (N, F) is not above a number.

        Arguments: slopes, between, target, F, H, W, factors along rows, factors along columns, mask, number.
        """
        return self._written("propagate_back", "pppiiipppr", _filter(_masked))

    @cached_property
    def correlate(self) -> ir.Function:
        """A matrix's gradient: over nodes and images, the sum of what came in (N, in) times slopes (N, out).

        Arguments: source, in, slopes, out, N, target, its steps across and along.
        """
        return self._written("correlate", "pipiipii", _correlate)

    @cached_property
    def total(self) -> ir.Function:
        """A bias's gradient: the sum of slopes (N, out) over nodes and images. Arguments: slopes, out, N, target."""
        return self._written("total", "piip", _total)

    @cached_property
    def average(self) -> ir.Function:
        """The sum over nodes (N, F) of share times node: (F). Arguments: source, F, N, shares, target."""
        return self._written("average", "piipp", _average)

    @cached_property
    def scatter(self) -> ir.Function:
        """Slopes (F) of the average to nodes (N, F), zero where the mask is not above a number.

        Arguments: slopes, F, N, shares, target, mask, number.
        """
        return self._written("scatter", "piipppr", _scatter)


def _raised(emit: Emitter, bias: Value, floor: Value) -> Finish:
    least = emit.spread(floor)

    def finish(value: Value, feature: Value, here: Value) -> Value:
        value = emit.build.fadd(value, emit.spread(emit.scalar(emit.at(bias, feature))))
        return emit.build.select(emit.build.fcmp_ordered("<", value, least), least, value)

    return finish


def _masked(emit: Emitter, mask: Value, number: Value) -> Finish:
    least = emit.spread(number)

    def finish(value: Value, feature: Value, here: Value) -> Value:
        is_above = emit.build.fcmp_ordered(">", emit.read(emit.row(mask, here)), least)
        return emit.build.select(is_above, value, emit.number(0.0))

    return finish


def _tiled(emit: Emitter, rows: Value, columns: Value, tile: Callable[[Value, int, Value, int], None]) -> None:
    """Run `tile(row, height, column, width)` over a matrix, in register tiles and then in single rows and columns."""
    machine = emit.machine
    emit.tiles(
        rows,
        (machine.rows, 1),
        lambda row, height: emit.tiles(
            columns, (machine.columns, 1), lambda column, width: tile(row, height, column, width)
        ),
    )


def _outer(emit: Emitter, values: list[Value], factors: list[Value], sums: tuple[Value, ...]) -> list[Value]:
    """Return the sums with the product of each value and each factor added."""
    pairs = [(value, factor) for value in values for factor in factors]
    return [emit.fma(value, factor, total) for (value, factor), total in zip(pairs, sums, strict=True)]


def _product(ending: Ending) -> Callable[..., None]:
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
        finish = ending(emit, *last)

        def tile(node: Value, height: int, output: Value, width: int) -> None:
            lines = [emit.row(source, emit.times(emit.plus(node, i), inputs)) for i in range(height)]
            column = emit.at(matrix, emit.times(output, along))

            def term(k: Value, *sums: Value) -> list[Value]:
                entry = emit.at(column, emit.times(k, across))
                values = [emit.read(emit.row(line, k)) for line in lines]
                factors = [emit.spread(emit.scalar(emit.at(entry, emit.times(along, j)))) for j in range(width)]
                return _outer(emit, values, factors, sums)

            for place, value in enumerate(emit.loop(inputs, term, [emit.number(0.0)] * (height * width))):
                i, j = divmod(place, width)
                feature = emit.plus(output, j)
                here = emit.plus(emit.times(emit.plus(node, i), outputs), feature)
                emit.write(finish(value, feature, here), emit.row(target, here))

        _tiled(emit, nodes, outputs, tile)

    return write


def _filter(ending: Ending) -> Callable[..., None]:
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
        finish = ending(emit, *last)
        emit.loop(
            height,
            lambda r: _line(
                emit, emit.times(r, across), I64(1), across, columns, source, between, width, lambda value, *_: value
            ),
        )
        emit.loop(across, lambda c: _line(emit, c, across, height, rows, between, target, width, finish))

    return write


def _line(
    emit: Emitter,
    first: Value,
    step: Value,
    count: Value,
    factors: Value,
    source: Value,
    target: Value,
    width: Value,
    finish: Finish,
) -> None:
    """Filter the nodes first + k step, k < count, by three factors a place."""

    def at(k: Value) -> None:
        before = emit.build.select(emit.build.icmp_signed(">", k, I64(0)), emit.plus(k, -1), I64(0))
        after = emit.smaller(emit.plus(k, 1), emit.plus(count, -1))
        starts = [emit.times(emit.plus(first, emit.times(each, step)), width) for each in (before, k, after)]
        three = emit.at(factors, emit.times(k, 3))
        weights = [emit.spread(emit.scalar(emit.at(three, i))) for i in range(3)]

        def some(feature: Value, size: int) -> None:
            for i in range(size):
                place = emit.plus(feature, i)
                values = [emit.read(emit.row(source, emit.plus(start, place))) for start in starts]
                value = emit.fma(values[0], weights[0], emit.build.fmul(values[1], weights[1]))
                value = emit.fma(values[2], weights[2], value)
                here = emit.plus(starts[1], place)
                emit.write(finish(value, place, here), emit.row(target, here))

        emit.tiles(width, (4, 1), some)

    emit.loop(count, at)


def _correlate(
    emit: Emitter,
    source: Value,
    inputs: Value,
    slopes: Value,
    outputs: Value,
    nodes: Value,
    target: Value,
    across: Value,
    along: Value,
) -> None:
    def tile(first: Value, height: int, output: Value, width: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            left = emit.row(source, emit.plus(emit.times(node, inputs), first))
            right = emit.row(slopes, emit.plus(emit.times(node, outputs), output))
            values = [emit.read(emit.row(left, i)) for i in range(height)]
            factors = [emit.read(emit.row(right, j)) for j in range(width)]
            return _outer(emit, values, factors, sums)

        totals = emit.sums(emit.loop(nodes, term, [emit.number(0.0)] * (height * width)))
        for place, number in enumerate(totals):
            i, j = divmod(place, width)
            here = emit.plus(emit.times(emit.plus(first, i), across), emit.times(emit.plus(output, j), along))
            emit.put(number, emit.at(target, here))

    _tiled(emit, inputs, outputs, tile)


def _total(emit: Emitter, slopes: Value, outputs: Value, nodes: Value, target: Value) -> None:
    def some(output: Value, width: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            here = emit.row(slopes, emit.plus(emit.times(node, outputs), output))
            return [emit.build.fadd(sums[j], emit.read(emit.row(here, j))) for j in range(width)]

        for j, number in enumerate(emit.sums(emit.loop(nodes, term, [emit.number(0.0)] * width))):
            emit.put(number, emit.at(target, emit.plus(output, j)))

    emit.tiles(outputs, (emit.machine.columns, 1), some)


def _average(emit: Emitter, source: Value, width: Value, nodes: Value, shares: Value, target: Value) -> None:
    def some(first: Value, size: int) -> None:
        def term(node: Value, *sums: Value) -> list[Value]:
            share = emit.spread(emit.scalar(emit.at(shares, node)))
            here = emit.row(source, emit.plus(emit.times(node, width), first))
            return [emit.fma(emit.read(emit.row(here, i)), share, sums[i]) for i in range(size)]

        for i, value in enumerate(emit.loop(nodes, term, [emit.number(0.0)] * size)):
            emit.write(value, emit.row(target, emit.plus(first, i)))

    emit.tiles(width, (emit.machine.columns, 1), some)


def _scatter(
    emit: Emitter, slopes: Value, width: Value, nodes: Value, shares: Value, target: Value, *last: Value
) -> None:
    finish = _masked(emit, *last)

    def at(node: Value) -> None:
        share = emit.spread(emit.scalar(emit.at(shares, node)))
        start = emit.times(node, width)

        def feature(f: Value) -> None:
            here = emit.plus(start, f)
            value = emit.build.fmul(emit.read(emit.row(slopes, f)), share)
            emit.write(finish(value, f, here), emit.row(target, here))

        emit.loop(width, feature)

    emit.loop(nodes, at)
