"""Loss, right answers and the logits' gradient of a group of images."""

from __future__ import annotations

import math

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import LaneGroup
from zoo.fused.layout import StackLayout


class CrossEntropy:
    """Writes the cross-entropy of logits z against targets t: the sum over classes of t (log sum exp z - z)."""

    def __init__(self, emit: Emitter, layout: StackLayout, group: LaneGroup) -> None:
        self.emit, self.num_classes, self.group = emit, layout.num_classes, group

    def emit_loss(self, totals: Value) -> None:
        """Store loss and right answers, and write the slopes p sum(t) - t of the logits."""
        emit, build, group = self.emit, self.emit.builder, self.group
        zero, count = emit.splat_constant(0.0), self.num_classes
        lowest = emit.splat_constant(-math.inf)

        def best(k: Value, top: Value, place: Value, most: Value, wanted: Value) -> list[Value]:
            logit, share = (
                emit.load_vector(emit.vector_address(group.logits, k)),
                emit.load_vector(emit.vector_address(group.targets, k)),
            )
            number = emit.splat(build.sitofp(k, emit.machine.scalar_type))
            is_top, is_most = build.fcmp_ordered(">", logit, top), build.fcmp_ordered(">", share, most)
            return [
                build.select(is_top, logit, top),
                build.select(is_top, number, place),
                build.select(is_most, share, most),
                build.select(is_most, number, wanted),
            ]

        none = emit.splat_constant(-1.0)
        top, place, _, wanted = emit.loop(count, best, [lowest, zero, zero, none])
        right = build.select(build.fcmp_ordered("==", place, wanted), emit.splat_constant(1.0), zero)

        def weigh(k: Value, total: Value, shares: Value) -> list[Value]:
            weight = self._exp(build.fsub(emit.load_vector(emit.vector_address(group.logits, k)), top))
            emit.store_vector(weight, emit.vector_address(group.logit_gradients, k))
            return [
                build.fadd(total, weight),
                build.fadd(shares, emit.load_vector(emit.vector_address(group.targets, k))),
            ]

        total, shares = emit.loop(count, weigh, [zero, zero])
        scale, level = build.fdiv(shares, total), build.fadd(top, emit.call_intrinsic("log", total))

        def slope(k: Value, loss: Value) -> list[Value]:
            here = emit.vector_address(group.logit_gradients, k)
            share = emit.load_vector(emit.vector_address(group.targets, k))
            weight = build.fmul(emit.load_vector(here), scale)
            emit.store_vector(build.fsub(weight, share), here)
            return [emit.fma(share, build.fsub(level, emit.load_vector(emit.vector_address(group.logits, k))), loss)]

        (loss,) = emit.loop(count, slope, [zero])
        for place, number in enumerate(emit.sum_lanes([loss, right])):
            emit.store_scalar(number, emit.address_of(totals, place))

    def _exp(self, vector: Value) -> Value:
        """Return exp(x) for x <= 0: 2^n times the Taylor series of the rest, which is at most log(2) / 2."""
        emit, build = self.emit, self.emit.builder
        double = emit.machine.itemsize == 8
        bits, mantissa, bias, lowest = (64, 52, 1023, -700.0) if double else (32, 23, 127, -87.0)
        x = emit.max_vectors(vector, emit.splat_constant(lowest))
        turns = emit.call_intrinsic("rint", build.fmul(x, emit.splat_constant(1 / math.log(2))))
        high = math.log(2) if double else 0.693359375
        rest = emit.fma(turns, emit.splat_constant(-high), x)
        rest = emit.fma(turns, emit.splat_constant(-(0.0 if double else math.log(2) - high)), rest)
        terms = 14 if double else 8
        value = emit.splat_constant(1 / math.factorial(terms - 1))
        for power in reversed(range(terms - 1)):
            value = emit.fma(value, rest, emit.splat_constant(1 / math.factorial(power)))
        whole = ir.VectorType(ir.IntType(bits), emit.machine.lanes)
        exponent = build.fptosi(turns, whole)
        constant = ir.Constant(whole, [bias] * emit.machine.lanes)
        shift = ir.Constant(whole, [mantissa] * emit.machine.lanes)
        power = build.bitcast(build.shl(build.add(exponent, constant), shift), emit.machine.vector_type)
        return build.fmul(value, power)
