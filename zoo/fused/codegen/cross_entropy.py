"""Emit the loss of a group of images, its number of correct predictions and the gradient of its logits."""

from __future__ import annotations

import math

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import LaneGroup
from zoo.fused.layout import StackLayout


class CrossEntropy:
    """Emits the cross-entropy of logits z with targets t: the sum over classes of t (log sum exp z - z)."""

    def __init__(self, emit: Emitter, layout: StackLayout, group: LaneGroup) -> None:
        self._emit, self._num_classes, self._group = emit, layout.num_classes, group

    def emit_loss(self, totals: Value) -> None:
        """Store loss and number of correct predictions at `totals`, and the gradient p sum(t) - t of the logits."""
        emit, builder = self._emit, self._emit.builder
        top_logit, correct = self._emit_prediction()
        exp_sum, target_sum = self._emit_exponentials(top_logit)
        scale = builder.fdiv(target_sum, exp_sum)
        log_sum = builder.fadd(top_logit, emit.call_intrinsic("log", exp_sum))
        loss = self._emit_gradient(scale, log_sum)
        for index, number in enumerate(emit.sum_lanes([loss, correct])):
            emit.store_scalar(number, emit.address_of(totals, index))

    def _load(self, vectors: Value, k: Value) -> Value:
        return self._emit.load_vector(self._emit.vector_address(vectors, k))

    def _emit_prediction(self) -> tuple[Value, Value]:
        """Return the largest logit of each image, and 1 where it is at the class of the largest target, else 0."""
        emit, builder = self._emit, self._emit.builder
        zero, lowest, no_class = (emit.splat_constant(value) for value in (0.0, -math.inf, -1.0))

        def compare(
            k: Value, top_logit: Value, top_class: Value, top_target: Value, target_class: Value
        ) -> list[Value]:
            logit, target = self._load(self._group.logits, k), self._load(self._group.targets, k)
            number = emit.splat(builder.sitofp(k, emit.machine.scalar_type))
            is_top = builder.fcmp_ordered(">", logit, top_logit)
            is_target = builder.fcmp_ordered(">", target, top_target)
            return [
                builder.select(is_top, logit, top_logit),
                builder.select(is_top, number, top_class),
                builder.select(is_target, target, top_target),
                builder.select(is_target, number, target_class),
            ]

        top_logit, top_class, _, target_class = emit.loop(self._num_classes, compare, [lowest, zero, zero, no_class])
        is_correct = builder.fcmp_ordered("==", top_class, target_class)
        return top_logit, builder.select(is_correct, emit.splat_constant(1.0), zero)

    def _emit_exponentials(self, top_logit: Value) -> tuple[Value, Value]:
        """Store exp(z - max z) as the logits' gradient; return its sum over the classes, and that of the targets."""
        emit, builder = self._emit, self._emit.builder

        def exponentiate(k: Value, exp_sum: Value, target_sum: Value) -> list[Value]:
            exponential = self._exp(builder.fsub(self._load(self._group.logits, k), top_logit))
            emit.store_vector(exponential, emit.vector_address(self._group.logit_gradients, k))
            return [
                builder.fadd(exp_sum, exponential),
                builder.fadd(target_sum, self._load(self._group.targets, k)),
            ]

        exp_sum, target_sum = emit.loop(self._num_classes, exponentiate, [emit.splat_constant(0.0)] * 2)
        return exp_sum, target_sum

    def _emit_gradient(self, scale: Value, log_sum: Value) -> Value:
        """Turn the stored exponentials into the logits' gradient, and return the loss of each image."""
        emit, builder = self._emit, self._emit.builder

        def store_gradient(k: Value, loss: Value) -> list[Value]:
            address = emit.vector_address(self._group.logit_gradients, k)
            target = self._load(self._group.targets, k)
            scaled = builder.fmul(emit.load_vector(address), scale)
            emit.store_vector(builder.fsub(scaled, target), address)
            return [emit.fma(target, builder.fsub(log_sum, self._load(self._group.logits, k)), loss)]

        (loss,) = emit.loop(self._num_classes, store_gradient, [emit.splat_constant(0.0)])
        return loss

    def _exp(self, vector: Value) -> Value:
        """Return exp(x) for x <= 0: 2^n times the Taylor series of the rest, which is at most log(2) / 2."""
        emit, builder = self._emit, self._emit.builder
        is_double = emit.machine.itemsize == 8
        x = emit.max_vectors(vector, emit.splat_constant(-700.0 if is_double else -87.0))
        exponent = emit.call_intrinsic("rint", builder.fmul(x, emit.splat_constant(1 / math.log(2))))
        high = math.log(2) if is_double else 0.693359375  # log(2) in two parts, so that n log(2) loses no bits
        rest = emit.fma(exponent, emit.splat_constant(-high), x)
        rest = emit.fma(exponent, emit.splat_constant(-(0.0 if is_double else math.log(2) - high)), rest)
        num_terms = 14 if is_double else 8
        series = emit.splat_constant(1 / math.factorial(num_terms - 1))
        for power in reversed(range(num_terms - 1)):
            series = emit.fma(series, rest, emit.splat_constant(1 / math.factorial(power)))
        return builder.fmul(series, self._power_of_two(exponent))

    def _power_of_two(self, exponent: Value) -> Value:
        """Return 2^n for integers n in a float vector, by writing the bits of the exponent."""
        emit, builder = self._emit, self._emit.builder
        bits, mantissa, bias = (64, 52, 1023) if emit.machine.itemsize == 8 else (32, 23, 127)
        integers = ir.VectorType(ir.IntType(bits), emit.machine.lanes)
        number = builder.fptosi(exponent, integers)
        bias_vector = ir.Constant(integers, [bias] * emit.machine.lanes)
        shift = ir.Constant(integers, [mantissa] * emit.machine.lanes)
        return builder.bitcast(builder.shl(builder.add(number, bias_vector), shift), emit.machine.vector_type)
