"""A stack as a module of LLVM: group after group, forward, perhaps backward, and the sum of the groups' gradients."""

from __future__ import annotations

from enum import IntEnum, auto

from llvmlite import ir

from zoo.fused.codegen.builder import I32, I64, PTR, Emitter, Machine, Value
from zoo.fused.codegen.cross_entropy import CrossEntropy
from zoo.fused.codegen.lane_group import LaneGroup
from zoo.fused.codegen.lane_io import LaneIO
from zoo.fused.codegen.routines import Routines
from zoo.fused.layout import StackLayout


class Slot(IntEnum):
    """Places of the arguments in the one array of 64-bit numbers that a program is called with."""

    IMAGES = 0
    TARGETS = auto()
    PARAMETERS = auto()
    POSITIONS = auto()
    GROUP_GRADIENTS = auto()
    GRADIENT = auto()
    GROUP_TOTALS = auto()
    TOTALS = auto()
    LOGITS = auto()
    WORKSPACE = auto()
    BATCH = auto()
    THREADS = auto()


class Program:
    """Writes the module of a stack: its function `run` is a whole step, or the answers to images.

    Args:
        layout: The stack.
        machine: The processor.
        has_backward: Whether it computes loss and gradient, or else logits.
        parallel: Whether groups are shared among threads of OpenMP.

    Attributes:
        gradient_stride: Numbers of a group's gradient, padded to whole vectors.
        num_vectors: Vectors of a thread's workspace.
    """

    def __init__(self, layout: StackLayout, machine: Machine, *, backward: bool, parallel: bool) -> None:
        self.layout, self.machine, self.has_backward = layout, machine, backward
        self.module = ir.Module(name="stack")
        self.gradient_stride = -(-layout.num_parameters // machine.lanes) * machine.lanes
        group, self.num_vectors = self._write_group()
        worker = self._write_worker(group)
        self._write_run(worker, self._write_team(worker) if parallel else None)

    @property
    def llvm_ir(self) -> str:
        """The module in LLVM's language."""
        return str(self.module)

    def _add_function(self, name: str, *kinds: ir.Type, result: ir.Type | None = None) -> tuple[ir.Function, Emitter]:
        function = ir.Function(self.module, ir.FunctionType(result or ir.VoidType(), kinds), name)
        return function, Emitter(function, self.machine)

    @staticmethod
    def _load_slot(emit: Emitter, arguments: Value, slot: Slot, kind: ir.Type = PTR) -> Value:
        return emit.builder.load(emit.address_of(arguments, int(slot), I64), typ=kind, align=8)

    def _write_group(self) -> tuple[ir.Function, int]:
        """Write `group(arguments, number, workspace)`, and return it and the vectors it works in."""
        function, emit = self._add_function("group", PTR, I64, PTR)
        arguments, number, workspace = function.args
        slots = {each: self._load_slot(emit, arguments, each, I64 if each >= Slot.BATCH else PTR) for each in Slot}
        gradient = emit.address_of(slots[Slot.GROUP_GRADIENTS], emit.mul_ints(number, self.gradient_stride))
        routines = Routines(self.module, self.machine)
        group = LaneGroup(emit, self.layout, routines, slots[Slot.PARAMETERS], gradient, workspace)
        passage, where = (
            LaneIO(emit, self.layout, group),
            (emit.mul_ints(number, self.machine.lanes), slots[Slot.BATCH]),
        )
        passage.load_images(slots[Slot.IMAGES], slots[Slot.POSITIONS], *where)
        group.forward()
        if self.has_backward:
            passage.load_targets(slots[Slot.TARGETS], *where)
            CrossEntropy(emit, self.layout, group).emit_loss(
                emit.address_of(slots[Slot.GROUP_TOTALS], emit.mul_ints(number, 2))
            )
            group.backward()
        else:
            passage.store_logits(slots[Slot.LOGITS], *where)
        emit.builder.ret_void()
        return function, group.num_vectors

    def _write_worker(self, group: ir.Function) -> ir.Function:
        """Write `worker(arguments, thread)`: every thread takes every so manieth group."""
        function, emit = self._add_function("worker", PTR, I64)
        arguments, thread = function.args
        threads = self._load_slot(emit, arguments, Slot.THREADS, I64)
        workspace = emit.vector_address(
            self._load_slot(emit, arguments, Slot.WORKSPACE), emit.mul_ints(thread, self.num_vectors)
        )
        left = emit.builder.sub(emit.add_ints(self._num_groups(emit, arguments), emit.add_ints(threads, -1)), thread)

        def turn(number: Value) -> None:
            place = emit.add_ints(emit.mul_ints(number, threads), thread)
            emit.builder.call(group, [arguments, place, workspace])

        emit.loop(emit.builder.sdiv(left, threads), turn)
        emit.builder.ret_void()
        return function

    def _write_team(self, worker: ir.Function) -> ir.Function:
        """Write `team(arguments)`, which each thread of OpenMP runs."""
        function, emit = self._add_function("team", PTR)
        ask = ir.Function(self.module, ir.FunctionType(I32, []), "omp_get_thread_num")
        emit.builder.call(worker, [function.args[0], emit.builder.sext(emit.builder.call(ask, []), I64)])
        emit.builder.ret_void()
        return function

    def _num_groups(self, emit: Emitter, arguments: Value) -> Value:
        batch = self._load_slot(emit, arguments, Slot.BATCH, I64)
        return emit.builder.sdiv(emit.add_ints(batch, self.machine.lanes - 1), I64(self.machine.lanes))

    def _write_run(self, worker: ir.Function, team: ir.Function | None) -> None:
        """Write `run(arguments)`: all groups, in as many threads as asked, and then their sums in order."""
        function, emit = self._add_function("run", PTR)
        (arguments,) = function.args
        if team is None:
            emit.builder.call(worker, [arguments, I64(0)])
        else:
            self._write_parallel_call(emit, arguments, worker, team)
        if self.has_backward:
            self._write_group_sum(emit, arguments)
        emit.builder.ret_void()

    def _write_parallel_call(self, emit: Emitter, arguments: Value, worker: ir.Function, team: ir.Function) -> None:
        """Write that one thread works alone, and several are started by OpenMP, which is torch's own."""
        threads = self._load_slot(emit, arguments, Slot.THREADS, I64)
        kind = ir.FunctionType(ir.VoidType(), [PTR, PTR, I32, I32])
        parallel = ir.Function(self.module, kind, "GOMP_parallel")
        with emit.builder.if_else(emit.builder.icmp_signed("==", threads, I64(1))) as (alone, many):
            with alone:
                emit.builder.call(worker, [arguments, I64(0)])
            with many:
                emit.builder.call(parallel, [team, arguments, emit.builder.trunc(threads, I32), I32(0)])

    def _write_group_sum(self, emit: Emitter, arguments: Value) -> None:
        """Add the gradients and scores of all groups, in the order of the groups."""
        groups = self._num_groups(emit, arguments)
        parts, gradient = (
            self._load_slot(emit, arguments, Slot.GROUP_GRADIENTS),
            self._load_slot(emit, arguments, Slot.GRADIENT),
        )

        def some(place: Value) -> None:
            def more(group: Value, total: Value) -> list[Value]:
                part = emit.address_of(parts, emit.mul_ints(group, self.gradient_stride))
                return [emit.builder.fadd(total, emit.load_vector(emit.vector_address(part, place)))]

            emit.store_vector(
                emit.loop(groups, more, [emit.splat_constant(0.0)])[0], emit.vector_address(gradient, place)
            )

        emit.loop(self.gradient_stride // self.machine.lanes, some)
        scores, totals = (
            self._load_slot(emit, arguments, Slot.GROUP_TOTALS),
            self._load_slot(emit, arguments, Slot.TOTALS),
        )
        zero = ir.Constant(self.machine.scalar_type, 0.0)
        for place in range(2):

            def more(group: Value, total: Value, place: int = place) -> list[Value]:
                return [
                    emit.builder.fadd(
                        total, emit.load_scalar(emit.address_of(scores, emit.add_ints(emit.mul_ints(group, 2), place)))
                    )
                ]

            total = emit.loop(groups, more, [zero])[0]
            emit.store_scalar(total, emit.address_of(totals, place))
