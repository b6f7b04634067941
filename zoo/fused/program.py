"""A whole step as a module of LLVM: read a group, run it forward and backward, and add the groups' gradients."""

from __future__ import annotations

import math
from enum import IntEnum, auto

from llvmlite import ir

from zoo.fused.emit import I32, I64, PTR, Emitter, Machine, Value
from zoo.fused.group import Group
from zoo.fused.routine import Routines
from zoo.fused.shape import Shape


class Slot(IntEnum):
    """Places of the arguments in the one array of 64-bit numbers that a step is called with."""

    IMAGES = 0
    TARGETS = auto()
    PARAMETERS = auto()
    POSITIONS = auto()
    PARTS = auto()
    GRADIENT = auto()
    SCORES = auto()
    TOTALS = auto()
    WORKSPACE = auto()
    BATCH = auto()
    THREADS = auto()


class Program:
    """Writes the module; `text` is what LLVM compiles, `vectors` the size of a thread's workspace.

    Args:
        shape: The stack.
        machine: The processor.
        is_parallel: Whether groups are shared among threads of OpenMP.
    """

    def __init__(self, shape: Shape, machine: Machine, *, is_parallel: bool) -> None:
        self.shape, self.machine = shape, machine
        self.module = ir.Module(name="stack")
        self.stride = -(-shape.parameters // machine.lanes) * machine.lanes
        group, self.vectors = self._group()
        worker = self._worker(group)
        self._step(worker, self._team(worker) if is_parallel else None)

    @property
    def text(self) -> str:
        """The module in LLVM's language."""
        return str(self.module)

    def _function(self, name: str, *kinds: ir.Type, result: ir.Type | None = None) -> tuple[ir.Function, Emitter]:
        function = ir.Function(self.module, ir.FunctionType(result or ir.VoidType(), kinds), name)
        return function, Emitter(function, self.machine)

    @staticmethod
    def _slot(emit: Emitter, arguments: Value, slot: Slot, kind: ir.Type = PTR) -> Value:
        return emit.build.load(emit.at(arguments, int(slot), I64), typ=kind, align=8)

    def _group(self) -> tuple[ir.Function, int]:
        """Write `group(arguments, number, workspace)`."""
        function, emit = self._function("group", PTR, I64, PTR)
        arguments, number, workspace = function.args

        def get(slot: Slot, kind: ir.Type = PTR) -> Value:
            return self._slot(emit, arguments, slot, kind)

        gradient = emit.at(get(Slot.PARTS), emit.times(number, self.stride))
        group = Group(emit, self.shape, Routines(self.module, self.machine), get(Slot.PARAMETERS), gradient, workspace)
        first = emit.times(number, self.machine.lanes)
        Reader(emit, self.shape, group).read(
            get(Slot.IMAGES), get(Slot.TARGETS), get(Slot.POSITIONS), first, get(Slot.BATCH, I64)
        )
        group.forward()
        Entropy(emit, self.shape, group).write(emit.at(get(Slot.SCORES), emit.times(number, 2)))
        group.backward()
        emit.build.ret_void()
        return function, group.vectors

    def _worker(self, group: ir.Function) -> ir.Function:
        """Write `worker(arguments, thread)`: every thread takes every so manieth group."""
        function, emit = self._function("worker", PTR, I64)
        arguments, thread = function.args
        threads = self._slot(emit, arguments, Slot.THREADS, I64)
        workspace = emit.row(self._slot(emit, arguments, Slot.WORKSPACE), emit.times(thread, self.vectors))
        left = emit.build.sub(emit.plus(self._groups(emit, arguments), emit.plus(threads, -1)), thread)

        def turn(number: Value) -> None:
            place = emit.plus(emit.times(number, threads), thread)
            emit.build.call(group, [arguments, place, workspace])

        emit.loop(emit.build.sdiv(left, threads), turn)
        emit.build.ret_void()
        return function

    def _team(self, worker: ir.Function) -> ir.Function:
        """Write `team(arguments)`, which each thread of OpenMP runs."""
        function, emit = self._function("team", PTR)
        ask = ir.Function(self.module, ir.FunctionType(I32, []), "omp_get_thread_num")
        emit.build.call(worker, [function.args[0], emit.build.sext(emit.build.call(ask, []), I64)])
        emit.build.ret_void()
        return function

    def _groups(self, emit: Emitter, arguments: Value) -> Value:
        batch = self._slot(emit, arguments, Slot.BATCH, I64)
        return emit.build.sdiv(emit.plus(batch, self.machine.lanes - 1), I64(self.machine.lanes))

    def _step(self, worker: ir.Function, team: ir.Function | None) -> None:
        """Write `step(arguments)`: all groups, in as many threads as asked, and then their sums in order."""
        function, emit = self._function("step", PTR)
        (arguments,) = function.args
        if team is None:
            emit.build.call(worker, [arguments, I64(0)])
        else:
            self._share(emit, arguments, worker, team)
        self._sum(emit, arguments)
        emit.build.ret_void()

    def _share(self, emit: Emitter, arguments: Value, worker: ir.Function, team: ir.Function) -> None:
        """Write that one thread works alone, and several are started by OpenMP, which is torch's own."""
        threads = self._slot(emit, arguments, Slot.THREADS, I64)
        kind = ir.FunctionType(ir.VoidType(), [PTR, PTR, I32, I32])
        parallel = ir.Function(self.module, kind, "GOMP_parallel")
        with emit.build.if_else(emit.build.icmp_signed("==", threads, I64(1))) as (alone, many):
            with alone:
                emit.build.call(worker, [arguments, I64(0)])
            with many:
                emit.build.call(parallel, [team, arguments, emit.build.trunc(threads, I32), I32(0)])

    def _sum(self, emit: Emitter, arguments: Value) -> None:
        """Add the gradients and scores of all groups, in the order of the groups."""
        groups = self._groups(emit, arguments)
        parts, gradient = self._slot(emit, arguments, Slot.PARTS), self._slot(emit, arguments, Slot.GRADIENT)

        def some(place: Value) -> None:
            def more(group: Value, total: Value) -> list[Value]:
                part = emit.at(parts, emit.times(group, self.stride))
                return [emit.build.fadd(total, emit.read(emit.row(part, place)))]

            emit.write(emit.loop(groups, more, [emit.number(0.0)])[0], emit.row(gradient, place))

        emit.loop(self.stride // self.machine.lanes, some)
        scores, totals = self._slot(emit, arguments, Slot.SCORES), self._slot(emit, arguments, Slot.TOTALS)
        zero = ir.Constant(self.machine.scalar, 0.0)
        for place in range(2):

            def more(group: Value, total: Value, place: int = place) -> list[Value]:
                return [emit.build.fadd(total, emit.scalar(emit.at(scores, emit.plus(emit.times(group, 2), place))))]

            total = emit.loop(groups, more, [zero])[0]
            emit.put(total, emit.at(totals, place))


class Reader:
    """Writes how images and targets become vectors with an image in each lane."""

    def __init__(self, emit: Emitter, shape: Shape, group: Group) -> None:
        self.emit, self.shape, self.group = emit, shape, group

    def read(self, images: Value, targets: Value, positions: Value, first: Value, batch: Value) -> None:
        """Fill the group's inputs and targets; lanes past the batch repeat its last image, with targets of zero."""
        emit, shape = self.emit, self.shape
        nodes, features = shape.nodes, shape.channels + shape.positions

        def lane(number: Value) -> None:
            image = emit.plus(first, number)
            there = emit.smaller(image, emit.plus(batch, -1))
            pixels = emit.at(images, emit.times(there, shape.channels * nodes))

            def channel(c: Value) -> None:
                def node(n: Value) -> None:
                    level = emit.scalar(emit.at(pixels, emit.plus(emit.times(c, nodes), n)))
                    self._put(level, self.group.inputs[0], emit.plus(emit.times(n, features), c), number)

                emit.loop(nodes, node)

            emit.loop(shape.channels, channel)
            inside = emit.build.icmp_signed("<", image, batch)
            wanted = emit.at(targets, emit.times(there, shape.classes))

            def one(k: Value) -> None:
                share = emit.build.select(
                    inside, emit.scalar(emit.at(wanted, k)), ir.Constant(emit.machine.scalar, 0.0)
                )
                self._put(share, self.group.wanted, k, number)

            emit.loop(shape.classes, one)

        emit.loop(emit.machine.lanes, lane)

        def place(n: Value) -> None:
            for p in range(shape.positions):
                value = emit.spread(emit.scalar(emit.at(positions, emit.plus(emit.times(n, shape.positions), p))))
                here = emit.plus(emit.times(n, features), shape.channels + p)
                emit.write(value, emit.row(self.group.inputs[0], here))

        if shape.positions:
            emit.loop(nodes, place)

    def _put(self, number: Value, vectors: Value, vector: Value, lane: Value) -> None:
        """Write a number to one lane of a vector in memory."""
        emit = self.emit
        address = emit.at(vectors, emit.plus(emit.times(vector, emit.machine.lanes), lane))
        emit.put(number, address)


class Entropy:
    """Writes the cross-entropy of logits z against targets t: the sum over classes of t (log sum exp z - z)."""

    def __init__(self, emit: Emitter, shape: Shape, group: Group) -> None:
        self.emit, self.classes, self.group = emit, shape.classes, group

    def write(self, scores: Value) -> None:
        """Store loss and right answers, and write the slopes p sum(t) - t of the logits."""
        emit, build, group = self.emit, self.emit.build, self.group
        zero, count = emit.number(0.0), self.classes
        lowest = emit.number(-math.inf)

        def best(k: Value, top: Value, place: Value, most: Value, wanted: Value) -> list[Value]:
            logit, share = emit.read(emit.row(group.logits, k)), emit.read(emit.row(group.wanted, k))
            number = emit.spread(build.sitofp(k, emit.machine.scalar))
            is_top, is_most = build.fcmp_ordered(">", logit, top), build.fcmp_ordered(">", share, most)
            return [
                build.select(is_top, logit, top),
                build.select(is_top, number, place),
                build.select(is_most, share, most),
                build.select(is_most, number, wanted),
            ]

        none = emit.number(-1.0)
        top, place, _, wanted = emit.loop(count, best, [lowest, zero, zero, none])
        right = build.select(build.fcmp_ordered("==", place, wanted), emit.number(1.0), zero)

        def weigh(k: Value, total: Value, shares: Value) -> list[Value]:
            weight = self._exp(build.fsub(emit.read(emit.row(group.logits, k)), top))
            emit.write(weight, emit.row(group.slopes, k))
            return [build.fadd(total, weight), build.fadd(shares, emit.read(emit.row(group.wanted, k)))]

        total, shares = emit.loop(count, weigh, [zero, zero])
        scale, level = build.fdiv(shares, total), build.fadd(top, emit.intrinsic("log", total))

        def slope(k: Value, loss: Value) -> list[Value]:
            here = emit.row(group.slopes, k)
            share = emit.read(emit.row(group.wanted, k))
            weight = build.fmul(emit.read(here), scale)
            emit.write(build.fsub(weight, share), here)
            return [emit.fma(share, build.fsub(level, emit.read(emit.row(group.logits, k))), loss)]

        (loss,) = emit.loop(count, slope, [zero])
        for place, number in enumerate(emit.sums([loss, right])):
            emit.put(number, emit.at(scores, place))

    def _exp(self, vector: Value) -> Value:
        """Return exp(x) for x <= 0: 2^n times the Taylor series of the rest, which is at most log(2) / 2."""
        emit, build = self.emit, self.emit.build
        double = emit.machine.size == 8
        bits, mantissa, bias, lowest = (64, 52, 1023, -700.0) if double else (32, 23, 127, -87.0)
        x = emit.larger(vector, emit.number(lowest))
        turns = emit.intrinsic("rint", build.fmul(x, emit.number(1 / math.log(2))))
        high = math.log(2) if double else 0.693359375
        rest = emit.fma(turns, emit.number(-high), x)
        rest = emit.fma(turns, emit.number(-(0.0 if double else math.log(2) - high)), rest)
        terms = 14 if double else 8
        value = emit.number(1 / math.factorial(terms - 1))
        for power in reversed(range(terms - 1)):
            value = emit.fma(value, rest, emit.number(1 / math.factorial(power)))
        whole = ir.VectorType(ir.IntType(bits), emit.machine.lanes)
        exponent = build.fptosi(turns, whole)
        constant = ir.Constant(whole, [bias] * emit.machine.lanes)
        shift = ir.Constant(whole, [mantissa] * emit.machine.lanes)
        power = build.bitcast(build.shl(build.add(exponent, constant), shift), emit.machine.vector)
        return build.fmul(value, power)
