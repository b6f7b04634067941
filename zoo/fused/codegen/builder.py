"""A small vocabulary over LLVM's builder: loops that carry values, and vectors with an image in each lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from llvmlite import ir

I64 = ir.IntType(64)
I32 = ir.IntType(32)
PTR = ir.PointerType()
Value: TypeAlias = Any
"""A value of LLVM; it has no types of its own for Python."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a processor's vectors are like.

    Args:
        lanes: Numbers in one vector register.
        tile_rows: Nodes of the register tile of a matrix product.
        tile_columns: Features of that tile.
        real_type: `float` or `double`.
    """

    lanes: int
    tile_rows: int
    tile_columns: int
    real_type: str

    @property
    def scalar_type(self) -> ir.Type:
        """The type of one number."""
        return ir.DoubleType() if self.real_type == "double" else ir.FloatType()

    @property
    def vector_type(self) -> ir.VectorType:
        """The type of one number for each image of a group."""
        return ir.VectorType(self.scalar_type, self.lanes)

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return 8 if self.real_type == "double" else 4


class Emitter:
    """Writes the body of one function."""

    def __init__(self, function: ir.Function, machine: Machine) -> None:
        self.function = function
        self.machine = machine
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))

    # -- whole numbers and addresses --

    @staticmethod
    def int_constant(value: int) -> ir.Constant:
        """Return a whole number."""
        return ir.Constant(I64, value)

    def address_of(self, base: Value, index: Value | int, element_type: ir.Type | None = None) -> Value:
        """Return the address of a number (or of another type's value) counted from `base`."""
        index = self.int_constant(index) if isinstance(index, int) else index
        return self.builder.gep(base, [index], source_etype=element_type or self.machine.scalar_type)

    def vector_address(self, base: Value, index: Value | int) -> Value:
        """Return the address of a vector counted from `base`."""
        return self.address_of(base, index, self.machine.vector_type)

    def add_ints(self, a: Value, b: Value | int) -> Value:
        """Return a + b of whole numbers."""
        return self.builder.add(a, self.int_constant(b) if isinstance(b, int) else b)

    def mul_ints(self, a: Value, b: Value | int) -> Value:
        """Return a * b of whole numbers."""
        return self.builder.mul(a, self.int_constant(b) if isinstance(b, int) else b)

    def min_ints(self, a: Value, b: Value) -> Value:
        """Return the smaller of two whole numbers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    # -- numbers --

    def splat_constant(self, value: float) -> ir.Constant:
        """Return a constant in every lane."""
        return ir.Constant(self.machine.vector_type, [value] * self.machine.lanes if value else None)

    def load_scalar(self, address: Value) -> Value:
        """Read one number."""
        return self.builder.load(address, typ=self.machine.scalar_type, align=self.machine.itemsize)

    def splat(self, number: Value) -> Value:
        """Return a number in every lane."""
        lanes = self.machine.lanes
        first = self.builder.insert_element(ir.Constant(self.machine.vector_type, ir.Undefined), number, I32(0))
        return self.builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(I32, lanes), None))

    def load_vector(self, address: Value) -> Value:
        """Read a vector."""
        return self.builder.load(
            address, typ=self.machine.vector_type, align=self.machine.itemsize * self.machine.lanes
        )

    def store_vector(self, vector: Value, address: Value) -> None:
        """Write a vector."""
        self.builder.store(vector, address, align=self.machine.itemsize * self.machine.lanes)

    def store_scalar(self, number: Value, address: Value) -> None:
        """Write one number."""
        self.builder.store(number, address, align=self.machine.itemsize)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c."""
        return self.call_intrinsic("fmuladd", a, b, c)

    def call_intrinsic(self, name: str, *vectors: Value) -> Value:
        """Return what a function of LLVM for one or more vectors gives."""
        kind = self.machine.vector_type
        whole = f"llvm.{name}.v{self.machine.lanes}f{8 * self.machine.itemsize}"
        function = ir.FunctionType(kind, [kind] * len(vectors))
        return self.builder.call(self.function.module.declare_intrinsic(whole, (), function), vectors)

    def max_vectors(self, a: Value, b: Value) -> Value:
        """Return the larger of two vectors, lane by lane."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    # -- loops --

    def loop(
        self,
        count: Value | int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
    ) -> list[Value]:
        """Run `body(index, *carried)` `count` times; it returns what is carried on. Return what is left at the end.

        A count that is known to be 0 or 1 needs no loop.
        """
        if count == 0:
            return list(carried)
        if count == 1:
            return list(body(self.int_constant(0), *carried) or ())
        total = self.int_constant(count) if isinstance(count, int) else count
        before = self.builder.block
        inside = self.function.append_basic_block("loop")
        after = self.function.append_basic_block("done")
        if isinstance(count, int):
            self.builder.branch(inside)
        else:
            self.builder.cbranch(self.builder.icmp_signed(">", total, self.int_constant(0)), inside, after)
        self.builder.position_at_end(inside)
        index = self.builder.phi(I64)
        index.add_incoming(self.int_constant(0), before)
        held = [self.builder.phi(value.type) for value in carried]
        for phi, value in zip(held, carried, strict=True):
            phi.add_incoming(value, before)
        results = list(body(index, *held) or ())
        last = self.builder.block
        following = self.add_ints(index, 1)
        index.add_incoming(following, last)
        for phi, value in zip(held, results, strict=True):
            phi.add_incoming(value, last)
        self.builder.cbranch(self.builder.icmp_signed("<", following, total), inside, after)
        self.builder.position_at_end(after)
        if isinstance(count, int):
            return results
        ends = [self.builder.phi(value.type) for value in carried]
        for phi, value, start in zip(ends, results, carried, strict=True):
            phi.add_incoming(value, last)
            phi.add_incoming(start, before)
        return ends

    def loop_tiles(self, count: Value, sizes: Sequence[int], body: Callable[[Value, int], None]) -> None:
        """Run `body(first, size)` over `count` things in tiles of the first size, and over what is left in the next."""
        first: Value = self.int_constant(0)
        for size in sizes:
            whole = self.builder.udiv(self.builder.sub(count, first), self.int_constant(size))
            start = first
            self.loop(
                whole,
                lambda index, start=start, size=size: body(self.add_ints(start, self.mul_ints(index, size)), size),
            )
            first = self.add_ints(start, self.mul_ints(whole, size))

    # -- sums over lanes --

    def sum_lanes(self, vectors: Sequence[Value]) -> list[Value]:
        """Return the sum over the lanes of each vector, by a tree that adds many at once."""
        lanes = self.machine.lanes
        found: list[Value] = []
        for start in range(0, len(vectors), lanes):
            some = list(vectors[start : start + lanes])
            whole = self._sum_transposed(some + [self.splat_constant(0.0)] * (lanes - len(some)))
            found += [self.builder.extract_element(whole, I32(place)) for place in range(len(some))]
        return found

    def _sum_transposed(self, vectors: list[Value]) -> Value:
        """Return the vector whose lane j is the sum over the lanes of vector j.

        Each round halves the number of vectors: blocks of lanes of two are interleaved and added.
        """
        lanes, half = self.machine.lanes, self.machine.lanes // 2
        mask = ir.VectorType(I32, lanes)
        while half:
            low, high = [], []
            for place in range(lanes):
                block, inside = divmod(place, half)
                source = (block // 2) * 2 * half + inside + (block % 2) * lanes
                low.append(source)
                high.append(source + half)
            pairs = len(vectors) // 2
            joined = [(vectors[index], vectors[index + pairs]) for index in range(pairs)]
            vectors = [
                self.builder.fadd(
                    self.builder.shuffle_vector(a, b, ir.Constant(mask, low)),
                    self.builder.shuffle_vector(a, b, ir.Constant(mask, high)),
                )
                for a, b in joined
            ]
            half //= 2
        return vectors[0]
