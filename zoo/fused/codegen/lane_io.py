"""How a group of images comes into vectors, and how its logits come out."""

from __future__ import annotations

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import LaneGroup
from zoo.fused.layout import StackLayout


class LaneIO:
    """Writes how images and targets become vectors with an image in each lane, and logits come back from there."""

    def __init__(self, emit: Emitter, layout: StackLayout, group: LaneGroup) -> None:
        self.emit, self.layout, self.group = emit, layout, group

    def load_images(self, images: Value, positions: Value, first: Value, batch: Value) -> None:
        """Fill the group's inputs with images (B, C, N) from `first` on; lanes past the batch repeat its last image."""
        emit, shape = self.emit, self.layout
        nodes, features = shape.num_nodes, shape.num_features

        def lane(number: Value) -> None:
            image = emit.min_ints(emit.add_ints(first, number), emit.add_ints(batch, -1))
            pixels = emit.address_of(images, emit.mul_ints(image, shape.num_channels * nodes))

            def channel(c: Value) -> None:
                def node(n: Value) -> None:
                    level = emit.load_scalar(emit.address_of(pixels, emit.add_ints(emit.mul_ints(c, nodes), n)))
                    emit.store_scalar(
                        level,
                        self._lane_address(self.group.inputs[0], emit.add_ints(emit.mul_ints(n, features), c), number),
                    )

                emit.loop(nodes, node)

            emit.loop(shape.num_channels, channel)

        emit.loop(emit.machine.lanes, lane)
        if shape.num_positions:
            emit.loop(nodes, lambda n: self._load_positions(positions, n))

    def _load_positions(self, positions: Value, node: Value) -> None:
        """Write a node's positions, the same in every lane."""
        emit, shape = self.emit, self.layout
        for p in range(shape.num_positions):
            value = emit.splat(
                emit.load_scalar(emit.address_of(positions, emit.add_ints(emit.mul_ints(node, shape.num_positions), p)))
            )
            here = emit.add_ints(emit.mul_ints(node, shape.num_features), shape.num_channels + p)
            emit.store_vector(value, emit.vector_address(self.group.inputs[0], here))

    def load_targets(self, targets: Value, first: Value, batch: Value) -> None:
        """Fill the group's targets from (B, K); those past the batch are zero."""
        emit, classes = self.emit, self.layout.num_classes
        zero = ir.Constant(emit.machine.scalar_type, 0.0)

        def lane(number: Value) -> None:
            image = emit.add_ints(first, number)
            is_inside = emit.builder.icmp_signed("<", image, batch)
            shares = emit.address_of(targets, emit.mul_ints(emit.min_ints(image, emit.add_ints(batch, -1)), classes))

            def one(k: Value) -> None:
                share = emit.builder.select(is_inside, emit.load_scalar(emit.address_of(shares, k)), zero)
                emit.store_scalar(share, self._lane_address(self.group.targets, k, number))

            emit.loop(classes, one)

        emit.loop(emit.machine.lanes, lane)

    def store_logits(self, logits: Value, first: Value, batch: Value) -> None:
        """Write the group's logits to (B, K), without those past the batch."""
        emit, classes = self.emit, self.layout.num_classes

        def lane(number: Value) -> None:
            row = emit.address_of(logits, emit.mul_ints(emit.add_ints(first, number), classes))

            def one(k: Value) -> None:
                emit.store_scalar(
                    emit.load_scalar(self._lane_address(self.group.logits, k, number)), emit.address_of(row, k)
                )

            emit.loop(classes, one)

        left = emit.builder.sub(batch, first)
        emit.loop(emit.min_ints(left, emit.int_constant(emit.machine.lanes)), lane)

    def _lane_address(self, vectors: Value, vector: Value, lane: Value) -> Value:
        """Return the address of one lane of a vector."""
        return self.emit.address_of(
            vectors, self.emit.add_ints(self.emit.mul_ints(vector, self.emit.machine.lanes), lane)
        )
