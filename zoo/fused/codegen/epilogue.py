"""Emit the last step of a routine, which changes each value before it is stored."""

from __future__ import annotations

from collections.abc import Callable

from zoo.fused.codegen.builder import Emitter, Value

Epilogue = Callable[[Value, Value, Value], Value]
"""(value, feature, index of the vector) -> the value to store."""
EpilogueFactory = Callable[[Emitter, Value, Value], Epilogue]
"""Makes an `Epilogue` from the last two arguments of a routine: an address and a number."""


def make_bias_relu(emit: Emitter, bias: Value, floor: Value) -> Epilogue:
    """Return an epilogue that adds a bias, and raises values to at least `floor`."""
    minimum = emit.splat(floor)

    def finish(value: Value, feature: Value, index: Value) -> Value:
        value = emit.builder.fadd(value, emit.splat(emit.load_scalar(emit.address_of(bias, feature))))
        return emit.builder.select(emit.builder.fcmp_ordered("<", value, minimum), minimum, value)

    return finish


def make_relu_mask(emit: Emitter, mask: Value, threshold: Value) -> Epilogue:
    """Return an epilogue that sets values to zero where a mask is not above `threshold`."""
    minimum = emit.splat(threshold)

    def finish(value: Value, feature: Value, index: Value) -> Value:
        is_above = emit.builder.fcmp_ordered(">", emit.load_vector(emit.vector_address(mask, index)), minimum)
        return emit.builder.select(is_above, value, emit.splat_constant(0.0))

    return finish
