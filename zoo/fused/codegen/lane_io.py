"""How a group of images comes into vectors, and how its logits come out."""

from __future__ import annotations

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import Group
from zoo.fused.layout import Shape


class Passage:
    """Writes how images and targets become vectors with an image in each lane, and logits come back from there."""

    def __init__(self, emit: Emitter, shape: Shape, group: Group) -> None:
        self.emit, self.shape, self.group = emit, shape, group

    def images(self, images: Value, positions: Value, first: Value, batch: Value) -> None:
        """Fill the group's inputs with images (B, C, N) from `first` on; lanes past the batch repeat its last image."""
        emit, shape = self.emit, self.shape
        nodes, features = shape.nodes, shape.features

        def lane(number: Value) -> None:
            image = emit.smaller(emit.plus(first, number), emit.plus(batch, -1))
            pixels = emit.at(images, emit.times(image, shape.channels * nodes))

            def channel(c: Value) -> None:
                def node(n: Value) -> None:
                    level = emit.scalar(emit.at(pixels, emit.plus(emit.times(c, nodes), n)))
                    emit.put(level, self._lane(self.group.inputs[0], emit.plus(emit.times(n, features), c), number))

                emit.loop(nodes, node)

            emit.loop(shape.channels, channel)

        emit.loop(emit.machine.lanes, lane)
        if shape.positions:
            emit.loop(nodes, lambda n: self._place(positions, n))

    def _place(self, positions: Value, node: Value) -> None:
        """Write a node's positions, the same in every lane."""
        emit, shape = self.emit, self.shape
        for p in range(shape.positions):
            value = emit.spread(emit.scalar(emit.at(positions, emit.plus(emit.times(node, shape.positions), p))))
            here = emit.plus(emit.times(node, shape.features), shape.channels + p)
            emit.write(value, emit.row(self.group.inputs[0], here))

    def targets(self, targets: Value, first: Value, batch: Value) -> None:
        """Fill the group's targets from (B, K); those past the batch are zero."""
        emit, classes = self.emit, self.shape.classes
        zero = ir.Constant(emit.machine.scalar, 0.0)

        def lane(number: Value) -> None:
            image = emit.plus(first, number)
            is_inside = emit.build.icmp_signed("<", image, batch)
            shares = emit.at(targets, emit.times(emit.smaller(image, emit.plus(batch, -1)), classes))

            def one(k: Value) -> None:
                share = emit.build.select(is_inside, emit.scalar(emit.at(shares, k)), zero)
                emit.put(share, self._lane(self.group.wanted, k, number))

            emit.loop(classes, one)

        emit.loop(emit.machine.lanes, lane)

    def logits(self, logits: Value, first: Value, batch: Value) -> None:
        """Write the group's logits to (B, K), without those past the batch."""
        emit, classes = self.emit, self.shape.classes

        def lane(number: Value) -> None:
            row = emit.at(logits, emit.times(emit.plus(first, number), classes))

            def one(k: Value) -> None:
                emit.put(emit.scalar(self._lane(self.group.logits, k, number)), emit.at(row, k))

            emit.loop(classes, one)

        left = emit.build.sub(batch, first)
        emit.loop(emit.smaller(left, emit.whole(emit.machine.lanes)), lane)

    def _lane(self, vectors: Value, vector: Value, lane: Value) -> Value:
        """Return the address of one lane of a vector."""
        return self.emit.at(vectors, self.emit.plus(self.emit.times(vector, self.emit.machine.lanes), lane))
