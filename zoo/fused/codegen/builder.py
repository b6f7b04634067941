"""Emit LLVM instructions: a small vocabulary over llvmlite's builder. Door: llvmlite.

A `Machine` describes the processor's vector registers. An `Emitter` writes the body of one function for it: loops that
carry values, and vectors that hold one image in each lane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from llvmlite import ir

I64 = ir.IntType(64)
I32 = ir.IntType(32)
PTR = ir.PointerType()
Value: TypeAlias = Any
"""A value of LLVM: llvmlite has no type hints."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The vector registers of a processor.

    Args:
        lanes: Numbers in one register.
        tile_rows: Nodes in the register tile of a matrix product.
        tile_columns: Features in that tile.
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
    """Emits the body of one function.

    Args:
        function: The function to write; a block `entry` is appended.
        machine: The processor.
    """

    def __init__(self, function: ir.Function, machine: Machine) -> None:
        self.function = function
        self.machine = machine
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))

    # -- integers and addresses --

    @staticmethod
    def int_constant(value: int) -> ir.Constant:
        """Return an integer constant."""
        return ir.Constant(I64, value)

    def address_of(self, base: Value, index: Value | int, element_type: ir.Type | None = None) -> Value:
        """Return the address of number `index` counted from `base`, or of a value of another type."""
        index = self.int_constant(index) if isinstance(index, int) else index
        return self.builder.gep(base, [index], source_etype=element_type or self.machine.scalar_type)

    def vector_address(self, base: Value, index: Value | int) -> Value:
        """Return the address of vector `index` counted from `base`."""
        return self.address_of(base, index, self.machine.vector_type)

    def add_ints(self, a: Value, b: Value | int) -> Value:
        """Return the sum a + b of integers."""
        return self.builder.add(a, self.int_constant(b) if isinstance(b, int) else b)

    def mul_ints(self, a: Value, b: Value | int) -> Value:
        """Return the product a * b of integers."""
        return self.builder.mul(a, self.int_constant(b) if isinstance(b, int) else b)

    def min_ints(self, a: Value, b: Value) -> Value:
        """Return the smaller of two signed integers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    # -- numbers and vectors --

    def splat_constant(self, value: float) -> ir.Constant:
        """Return a vector with a constant in every lane."""
        return ir.Constant(self.machine.vector_type, [value] * self.machine.lanes if value else None)

    def load_scalar(self, address: Value) -> Value:
        """Load one number."""
        return self.builder.load(address, typ=self.machine.scalar_type, align=self.machine.itemsize)

    def splat(self, number: Value) -> Value:
        """Return a vector with a number in every lane."""
        lanes = self.machine.lanes
        first = self.builder.insert_element(ir.Constant(self.machine.vector_type, ir.Undefined), number, I32(0))
        return self.builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(I32, lanes), None))

    def load_vector(self, address: Value) -> Value:
        """Load a vector."""
        return self.builder.load(
            address, typ=self.machine.vector_type, align=self.machine.itemsize * self.machine.lanes
        )

    def store_vector(self, vector: Value, address: Value) -> None:
        """Store a vector."""
        self.builder.store(vector, address, align=self.machine.itemsize * self.machine.lanes)

    def store_scalar(self, number: Value, address: Value) -> None:
        """Store one number."""
        self.builder.store(number, address, align=self.machine.itemsize)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a * b + c, fused where the processor can."""
        return self.call_intrinsic("fmuladd", a, b, c)

    def call_intrinsic(self, name: str, *vectors: Value) -> Value:
        """Call an LLVM intrinsic on vectors and return its result."""
        kind = self.machine.vector_type
        full_name = f"llvm.{name}.v{self.machine.lanes}f{8 * self.machine.itemsize}"
        function = ir.FunctionType(kind, [kind] * len(vectors))
        return self.builder.call(self.function.module.declare_intrinsic(full_name, (), function), vectors)

    def max_vectors(self, a: Value, b: Value) -> Value:
        """Return the lane-wise maximum of two vectors."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    # -- loops --

    def loop(
        self,
        count: Value | int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
    ) -> list[Value]:
        """Emit a loop that runs `body(index, *carried)` `count` times; return the values it ends with.

        `body` returns the values carried into the next iteration, or None where there are none. A Python count of 0
        or 1 needs no loop. A count known only at run time may be 0; then the loop ends with the values of `carried`.
        """
        if count == 0:
            return list(carried)
        if count == 1:
            return list(body(self.int_constant(0), *carried) or ())
        total = self.int_constant(count) if isinstance(count, int) else count
        entry_block = self.builder.block
        body_block = self.function.append_basic_block("loop")
        exit_block = self.function.append_basic_block("done")
        if isinstance(count, int):
            self.builder.branch(body_block)
            return self._loop_body(total, body, carried, body_block, exit_block)[0]
        is_positive = self.builder.icmp_signed(">", total, self.int_constant(0))
        self.builder.cbranch(is_positive, body_block, exit_block)
        results, last_block = self._loop_body(total, body, carried, body_block, exit_block)
        return self._merge(results, last_block, carried, entry_block)

    def _loop_body(
        self,
        total: Value,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value],
        body_block: ir.Block,
        exit_block: ir.Block,
    ) -> tuple[list[Value], ir.Block]:
        """Emit the body and the branch back; return its results and its last block, and go on in `exit_block`."""
        entry_block = self.builder.block
        self.builder.position_at_end(body_block)
        index = self.builder.phi(I64)
        index.add_incoming(self.int_constant(0), entry_block)
        phis = [self.builder.phi(value.type) for value in carried]
        for phi, value in zip(phis, carried, strict=True):
            phi.add_incoming(value, entry_block)
        results = list(body(index, *phis) or ())
        last_block = self.builder.block
        next_index = self.add_ints(index, 1)
        index.add_incoming(next_index, last_block)
        for phi, value in zip(phis, results, strict=True):
            phi.add_incoming(value, last_block)
        self.builder.cbranch(self.builder.icmp_signed("<", next_index, total), body_block, exit_block)
        self.builder.position_at_end(exit_block)
        return results, last_block

    def _merge(
        self, results: Sequence[Value], last_block: ir.Block, carried: Sequence[Value], entry_block: ir.Block
    ) -> list[Value]:
        """Return `results` if control comes from the loop's last block, or `carried` if it comes from the entry."""
        phis = [self.builder.phi(value.type) for value in carried]
        for phi, result, start in zip(phis, results, carried, strict=True):
            phi.add_incoming(result, last_block)
            phi.add_incoming(start, entry_block)
        return phis

    def loop_tiles(self, count: Value, sizes: Sequence[int], body: Callable[[Value, int], None]) -> None:
        """Run `body(first, size)` over `count` items in tiles of the first size, and over the rest in the next."""
        first: Value = self.int_constant(0)
        for size in sizes:
            num_tiles = self.builder.udiv(self.builder.sub(count, first), self.int_constant(size))
            start = first
            self.loop(
                num_tiles,
                lambda index, start=start, size=size: body(self.add_ints(start, self.mul_ints(index, size)), size),
            )
            first = self.add_ints(start, self.mul_ints(num_tiles, size))

    def loop_register_tiles(self, rows: Value, columns: Value, body: Callable[[Value, int, Value, int], None]) -> None:
        """Run `body(row, height, column, width)` over a matrix, in register tiles, then in single rows and columns."""
        self.loop_tiles(
            rows,
            (self.machine.tile_rows, 1),
            lambda row, height: self.loop_tiles(
                columns, (self.machine.tile_columns, 1), lambda column, width: body(row, height, column, width)
            ),
        )

    # -- sums over lanes --

    def sum_lanes(self, vectors: Sequence[Value]) -> list[Value]:
        """Return the sum over the lanes of each vector, by a tree that adds several vectors at once."""
        lanes = self.machine.lanes
        sums: list[Value] = []
        for start in range(0, len(vectors), lanes):
            chunk = list(vectors[start : start + lanes])
            total = self._sum_transposed(chunk + [self.splat_constant(0.0)] * (lanes - len(chunk)))
            sums += [self.builder.extract_element(total, I32(lane)) for lane in range(len(chunk))]
        return sums

    def _sum_transposed(self, vectors: list[Value]) -> Value:
        """Return the vector whose lane j is the sum over the lanes of vector j.

        Each round halves the number of vectors: the blocks of lanes of two vectors are interleaved and added.
        """
        lanes, half = self.machine.lanes, self.machine.lanes // 2
        mask = ir.VectorType(I32, lanes)
        while half:
            low, high = [], []
            for lane in range(lanes):
                block, offset = divmod(lane, half)
                source = (block // 2) * 2 * half + offset + (block % 2) * lanes
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
