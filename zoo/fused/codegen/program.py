"""Generate the LLVM module of a stack: it runs a batch group by group, and adds up the gradients of the groups.

`Program` writes the module. `Slot` names its arguments, which travel in one array of 64-bit numbers.
"""

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
    """Indices into the array of 64-bit numbers that a program is called with."""

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
    """Writes the module of a stack; its function `run` computes loss and gradient of a batch, or its logits.

    Args:
        layout: The layout of the stack.
        machine: The processor.
        backward: Compute loss and gradient; otherwise logits.
        parallel: Share the groups among OpenMP threads.

    Attributes:
        gradient_stride: Numbers in the gradient of a group, padded to full vectors.
        num_vectors: Number of vectors in the workspace of a thread.
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
        """The module as LLVM IR text."""
        return str(self.module)

    def _add_function(
        self, name: str, *arguments: ir.Type, result: ir.Type | None = None
    ) -> tuple[ir.Function, Emitter]:
        function = ir.Function(self.module, ir.FunctionType(result or ir.VoidType(), arguments), name)
        return function, Emitter(function, self.machine)

    @staticmethod
    def _load_slot(emit: Emitter, arguments: Value, slot: Slot, slot_type: ir.Type = PTR) -> Value:
        return emit.builder.load(emit.address_of(arguments, int(slot), I64), typ=slot_type, align=8)

    def _write_group(self) -> tuple[ir.Function, int]:
        """Write `group(arguments, number, workspace)`; return it and the number of vectors in its workspace."""
        function, emit = self._add_function("group", PTR, I64, PTR)
        arguments, number, workspace = function.args
        slots = {each: self._load_slot(emit, arguments, each, I64 if each >= Slot.BATCH else PTR) for each in Slot}
        gradient = emit.address_of(slots[Slot.GROUP_GRADIENTS], emit.mul_ints(number, self.gradient_stride))
        routines = Routines(self.module, self.machine)
        group = LaneGroup(emit, self.layout, routines, slots[Slot.PARAMETERS], gradient, workspace)
        lane_io = LaneIO(emit, self.layout, group)
        span = (emit.mul_ints(number, self.machine.lanes), slots[Slot.BATCH])
        lane_io.load_images(slots[Slot.IMAGES], slots[Slot.POSITIONS], *span)
        group.forward()
        if self.has_backward:
            lane_io.load_targets(slots[Slot.TARGETS], *span)
            CrossEntropy(emit, self.layout, group).emit_loss(
                emit.address_of(slots[Slot.GROUP_TOTALS], emit.mul_ints(number, 2))
            )
            group.backward()
        else:
            lane_io.store_logits(slots[Slot.LOGITS], *span)
        emit.builder.ret_void()
        return function, group.num_vectors

    def _write_worker(self, group: ir.Function) -> ir.Function:
        """Write `worker(arguments, thread)`: thread t of T processes the groups t, t + T, t + 2T, ..."""
        function, emit = self._add_function("worker", PTR, I64)
        arguments, thread = function.args
        threads = self._load_slot(emit, arguments, Slot.THREADS, I64)
        workspace = emit.vector_address(
            self._load_slot(emit, arguments, Slot.WORKSPACE), emit.mul_ints(thread, self.num_vectors)
        )
        remaining = emit.builder.sub(
            emit.add_ints(self._num_groups(emit, arguments), emit.add_ints(threads, -1)), thread
        )

        def run_group(number: Value) -> None:
            group_index = emit.add_ints(emit.mul_ints(number, threads), thread)
            emit.builder.call(group, [arguments, group_index, workspace])

        emit.loop(emit.builder.sdiv(remaining, threads), run_group)
        emit.builder.ret_void()
        return function

    def _write_team(self, worker: ir.Function) -> ir.Function:
        """Write `team(arguments)`, which each OpenMP thread runs."""
        function, emit = self._add_function("team", PTR)
        get_thread_number = ir.Function(self.module, ir.FunctionType(I32, []), "omp_get_thread_num")
        thread = emit.builder.sext(emit.builder.call(get_thread_number, []), I64)
        emit.builder.call(worker, [function.args[0], thread])
        emit.builder.ret_void()
        return function

    def _num_groups(self, emit: Emitter, arguments: Value) -> Value:
        batch = self._load_slot(emit, arguments, Slot.BATCH, I64)
        return emit.builder.sdiv(emit.add_ints(batch, self.machine.lanes - 1), I64(self.machine.lanes))

    def _write_run(self, worker: ir.Function, team: ir.Function | None) -> None:
        """Write `run(arguments)`: process all groups in `THREADS` threads, then add up their results in order."""
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
        """Write the call of `worker` for one thread, or of torch's own OpenMP runtime for several."""
        threads = self._load_slot(emit, arguments, Slot.THREADS, I64)
        signature = ir.FunctionType(ir.VoidType(), [PTR, PTR, I32, I32])
        run_team = ir.Function(self.module, signature, "GOMP_parallel")
        with emit.builder.if_else(emit.builder.icmp_signed("==", threads, I64(1))) as (single, parallel):
            with single:
                emit.builder.call(worker, [arguments, I64(0)])
            with parallel:
                emit.builder.call(run_team, [team, arguments, emit.builder.trunc(threads, I32), I32(0)])

    def _write_group_sum(self, emit: Emitter, arguments: Value) -> None:
        """Add up the gradients, losses and counts of all groups, in the order of the groups."""
        num_groups = self._num_groups(emit, arguments)
        parts = self._load_slot(emit, arguments, Slot.GROUP_GRADIENTS)
        gradient = self._load_slot(emit, arguments, Slot.GRADIENT)

        def add_vector(index: Value) -> None:
            def add_group(group: Value, total: Value) -> list[Value]:
                part = emit.address_of(parts, emit.mul_ints(group, self.gradient_stride))
                return [emit.builder.fadd(total, emit.load_vector(emit.vector_address(part, index)))]

            (total,) = emit.loop(num_groups, add_group, [emit.splat_constant(0.0)])
            emit.store_vector(total, emit.vector_address(gradient, index))

        emit.loop(self.gradient_stride // self.machine.lanes, add_vector)
        self._write_totals(emit, arguments, num_groups)

    def _write_totals(self, emit: Emitter, arguments: Value, num_groups: Value) -> None:
        """Add up the loss and the number of correct predictions of all groups."""
        parts = self._load_slot(emit, arguments, Slot.GROUP_TOTALS)
        totals = self._load_slot(emit, arguments, Slot.TOTALS)
        for index in range(2):

            def add_group(group: Value, total: Value, index: int = index) -> list[Value]:
                part = emit.address_of(parts, emit.add_ints(emit.mul_ints(group, 2), index))
                return [emit.builder.fadd(total, emit.load_scalar(part))]

            (total,) = emit.loop(num_groups, add_group, [ir.Constant(self.machine.scalar_type, 0.0)])
            emit.store_scalar(total, emit.address_of(totals, index))
