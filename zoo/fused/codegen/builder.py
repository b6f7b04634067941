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
        rows: Nodes of the register tile of a matrix product.
        columns: Features of that tile.
        real: `float` or `double`.
    """

    lanes: int
    rows: int
    columns: int
    real: str

    @property
    def scalar(self) -> ir.Type:
        """The type of one number."""
        return ir.DoubleType() if self.real == "double" else ir.FloatType()

    @property
    def vector(self) -> ir.VectorType:
        """The type of one number for each image of a group."""
        return ir.VectorType(self.scalar, self.lanes)

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return 8 if self.real == "double" else 4


class Emitter:
    """Writes the body of one function."""

    def __init__(self, function: ir.Function, machine: Machine) -> None:
        self.function = function
        self.machine = machine
        self.build = ir.IRBuilder(function.append_basic_block("entry"))

    # -- whole numbers and addresses --

    @staticmethod
    def whole(value: int) -> ir.Constant:
        """Return a whole number."""
        return ir.Constant(I64, value)

    def at(self, base: Value, index: Value | int, of: ir.Type | None = None) -> Value:
        """Return the address of a number (or of another type's value) counted from `base`."""
        index = self.whole(index) if isinstance(index, int) else index
        return self.build.gep(base, [index], source_etype=of or self.machine.scalar)

    def row(self, base: Value, index: Value | int) -> Value:
        """Return the address of a vector counted from `base`."""
        return self.at(base, index, self.machine.vector)

    def plus(self, a: Value, b: Value | int) -> Value:
        """Return a + b of whole numbers."""
        return self.build.add(a, self.whole(b) if isinstance(b, int) else b)

    def times(self, a: Value, b: Value | int) -> Value:
        """Return a * b of whole numbers."""
        return self.build.mul(a, self.whole(b) if isinstance(b, int) else b)

    def smaller(self, a: Value, b: Value) -> Value:
        """Return the smaller of two whole numbers."""
        return self.build.select(self.build.icmp_signed("<", a, b), a, b)

    # -- numbers --

    def number(self, value: float) -> ir.Constant:
        """Return a constant in every lane."""
        return ir.Constant(self.machine.vector, [value] * self.machine.lanes if value else None)

    def scalar(self, address: Value) -> Value:
        """Read one number."""
        return self.build.load(address, typ=self.machine.scalar, align=self.machine.size)

    def spread(self, number: Value) -> Value:
        """Return a number in every lane."""
        lanes = self.machine.lanes
        first = self.build.insert_element(ir.Constant(self.machine.vector, ir.Undefined), number, I32(0))
        return self.build.shuffle_vector(first, first, ir.Constant(ir.VectorType(I32, lanes), None))

    def read(self, address: Value) -> Value:
        """Read a vector."""
        return self.build.load(address, typ=self.machine.vector, align=self.machine.size * self.machine.lanes)

    def write(self, vector: Value, address: Value) -> None:
        """Write a vector."""
        self.build.store(vector, address, align=self.machine.size * self.machine.lanes)

    def put(self, number: Value, address: Value) -> None:
        """Write one number."""
        self.build.store(number, address, align=self.machine.size)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c."""
        return self.intrinsic("fmuladd", a, b, c)

    def intrinsic(self, name: str, *vectors: Value) -> Value:
        """Return what a function of LLVM for one or more vectors gives."""
        kind = self.machine.vector
        whole = f"llvm.{name}.v{self.machine.lanes}f{8 * self.machine.size}"
        function = ir.FunctionType(kind, [kind] * len(vectors))
        return self.build.call(self.function.module.declare_intrinsic(whole, (), function), vectors)

    def larger(self, a: Value, b: Value) -> Value:
        """Return the larger of two vectors, lane by lane."""
        return self.build.select(self.build.fcmp_ordered(">", a, b), a, b)

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
            return list(body(self.whole(0), *carried) or ())
        total = self.whole(count) if isinstance(count, int) else count
        before = self.build.block
        inside = self.function.append_basic_block("loop")
        after = self.function.append_basic_block("done")
        if isinstance(count, int):
            self.build.branch(inside)
        else:
            self.build.cbranch(self.build.icmp_signed(">", total, self.whole(0)), inside, after)
        self.build.position_at_end(inside)
        index = self.build.phi(I64)
        index.add_incoming(self.whole(0), before)
        held = [self.build.phi(value.type) for value in carried]
        for phi, value in zip(held, carried, strict=True):
            phi.add_incoming(value, before)
        results = list(body(index, *held) or ())
        last = self.build.block
        following = self.plus(index, 1)
        index.add_incoming(following, last)
        for phi, value in zip(held, results, strict=True):
            phi.add_incoming(value, last)
        self.build.cbranch(self.build.icmp_signed("<", following, total), inside, after)
        self.build.position_at_end(after)
        if isinstance(count, int):
            return results
        ends = [self.build.phi(value.type) for value in carried]
        for phi, value, start in zip(ends, results, carried, strict=True):
            phi.add_incoming(value, last)
            phi.add_incoming(start, before)
        return ends

    def tiles(self, count: Value, sizes: Sequence[int], body: Callable[[Value, int], None]) -> None:
        """Run `body(first, size)` over `count` things in tiles of the first size, and over what is left in the next."""
        first: Value = self.whole(0)
        for size in sizes:
            whole = self.build.udiv(self.build.sub(count, first), self.whole(size))
            start = first
            self.loop(
                whole, lambda index, start=start, size=size: body(self.plus(start, self.times(index, size)), size)
            )
            first = self.plus(start, self.times(whole, size))

    # -- sums over lanes --

    def sums(self, vectors: Sequence[Value]) -> list[Value]:
        """Return the sum over the lanes of each vector, by a tree that adds many at once."""
        lanes = self.machine.lanes
        found: list[Value] = []
        for start in range(0, len(vectors), lanes):
            some = list(vectors[start : start + lanes])
            whole = self._transposed_sum(some + [self.number(0.0)] * (lanes - len(some)))
            found += [self.build.extract_element(whole, I32(place)) for place in range(len(some))]
        return found

    def _transposed_sum(self, vectors: list[Value]) -> Value:
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
                self.build.fadd(
                    self.build.shuffle_vector(a, b, ir.Constant(mask, low)),
                    self.build.shuffle_vector(a, b, ir.Constant(mask, high)),
                )
                for a, b in joined
            ]
            half //= 2
        return vectors[0]
