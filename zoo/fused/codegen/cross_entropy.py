"""Loss, right answers and the logits' gradient of a group of images."""

from __future__ import annotations

import math

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import Group
from zoo.fused.layout import Shape


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
