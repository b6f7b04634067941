"""A stack as a module of LLVM: group after group, forward, perhaps backward, and the sum of the groups' gradients."""

from __future__ import annotations

from enum import IntEnum, auto

from llvmlite import ir

from zoo.fused.codegen.builder import I32, I64, PTR, Emitter, Machine, Value
from zoo.fused.codegen.cross_entropy import Entropy
from zoo.fused.codegen.lane_group import Group
from zoo.fused.codegen.lane_io import Passage
from zoo.fused.codegen.routines import Routines
from zoo.fused.layout import Shape


class Slot(IntEnum):
    """Places of the arguments in the one array of 64-bit numbers that a program is called with."""

    IMAGES = 0
    TARGETS = auto()
    PARAMETERS = auto()
    POSITIONS = auto()
    PARTS = auto()
    GRADIENT = auto()
    SCORES = auto()
    TOTALS = auto()
    LOGITS = auto()
    WORKSPACE = auto()
    BATCH = auto()
    THREADS = auto()


class Program:
    """Writes the module of a stack: its function `run` is a whole step, or the answers to images.

    Args:
        shape: The stack.
        machine: The processor.
        learns: Whether it computes loss and gradient, or else logits.
        is_parallel: Whether groups are shared among threads of OpenMP.

    Attributes:
        stride: Numbers of a group's gradient, padded to whole vectors.
        vectors: Vectors of a thread's workspace.
    """

    def __init__(self, shape: Shape, machine: Machine, *, learns: bool, is_parallel: bool) -> None:
        self.shape, self.machine, self.learns = shape, machine, learns
        self.module = ir.Module(name="stack")
        self.stride = -(-shape.parameters // machine.lanes) * machine.lanes
        group, self.vectors = self._group()
        worker = self._worker(group)
        self._run(worker, self._team(worker) if is_parallel else None)

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
        """Write `group(arguments, number, workspace)`, and return it and the vectors it works in."""
        function, emit = self._function("group", PTR, I64, PTR)
        arguments, number, workspace = function.args
        slots = {each: self._slot(emit, arguments, each, I64 if each >= Slot.BATCH else PTR) for each in Slot}
        gradient = emit.at(slots[Slot.PARTS], emit.times(number, self.stride))
        routines = Routines(self.module, self.machine)
        group = Group(emit, self.shape, routines, slots[Slot.PARAMETERS], gradient, workspace)
        passage, where = Passage(emit, self.shape, group), (emit.times(number, self.machine.lanes), slots[Slot.BATCH])
        passage.images(slots[Slot.IMAGES], slots[Slot.POSITIONS], *where)
        group.forward()
        if self.learns:
            passage.targets(slots[Slot.TARGETS], *where)
            Entropy(emit, self.shape, group).write(emit.at(slots[Slot.SCORES], emit.times(number, 2)))
            group.backward()
        else:
            passage.logits(slots[Slot.LOGITS], *where)
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

    def _run(self, worker: ir.Function, team: ir.Function | None) -> None:
        """Write `run(arguments)`: all groups, in as many threads as asked, and then their sums in order."""
        function, emit = self._function("run", PTR)
        (arguments,) = function.args
        if team is None:
            emit.build.call(worker, [arguments, I64(0)])
        else:
            self._share(emit, arguments, worker, team)
        if self.learns:
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
