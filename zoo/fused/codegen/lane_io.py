"""Emit the copies between images, targets and logits in memory and vectors with an image in each lane."""

from __future__ import annotations

from llvmlite import ir

from zoo.fused.codegen.builder import Emitter, Value
from zoo.fused.codegen.lane_group import LaneGroup
from zoo.fused.layout import StackLayout


class LaneIO:
    """Emits how a group of images and targets is loaded into vectors, and how its logits are stored."""

    def __init__(self, emit: Emitter, layout: StackLayout, group: LaneGroup) -> None:
        self._emit, self._layout, self._group = emit, layout, group

    def load_images(self, images: Value, positions: Value, first: Value, batch: Value) -> None:
        """Fill the group's inputs with images (B, C, N) from `first` on; lanes past the batch repeat its last image."""
        emit, layout = self._emit, self._layout
        num_nodes, num_features = layout.num_nodes, layout.num_features

        def load_lane(lane: Value) -> None:
            image = emit.min_ints(emit.add_ints(first, lane), emit.add_ints(batch, -1))
            pixels = emit.address_of(images, emit.mul_ints(image, layout.num_channels * num_nodes))

            def load_channel(channel: Value) -> None:
                def load_node(node: Value) -> None:
                    index = emit.add_ints(emit.mul_ints(channel, num_nodes), node)
                    value = emit.load_scalar(emit.address_of(pixels, index))
                    vector = emit.add_ints(emit.mul_ints(node, num_features), channel)
                    emit.store_scalar(value, self._lane_address(self._group.inputs[0], vector, lane))

                emit.loop(num_nodes, load_node)

            emit.loop(layout.num_channels, load_channel)

        emit.loop(emit.machine.lanes, load_lane)
        if layout.num_positions:
            emit.loop(num_nodes, lambda node: self._load_positions(positions, node))

    def _load_positions(self, positions: Value, node: Value) -> None:
        """Copy the positions of a node into every lane."""
        emit, layout = self._emit, self._layout
        for p in range(layout.num_positions):
            source = emit.add_ints(emit.mul_ints(node, layout.num_positions), p)
            value = emit.splat(emit.load_scalar(emit.address_of(positions, source)))
            index = emit.add_ints(emit.mul_ints(node, layout.num_features), layout.num_channels + p)
            emit.store_vector(value, emit.vector_address(self._group.inputs[0], index))

    def load_targets(self, targets: Value, first: Value, batch: Value) -> None:
        """Fill the group's targets from (B, K); targets past the batch are zero."""
        emit, num_classes = self._emit, self._layout.num_classes
        zero = ir.Constant(emit.machine.scalar_type, 0.0)

        def load_lane(lane: Value) -> None:
            image = emit.add_ints(first, lane)
            is_inside = emit.builder.icmp_signed("<", image, batch)
            row = emit.address_of(targets, emit.mul_ints(emit.min_ints(image, emit.add_ints(batch, -1)), num_classes))

            def load_class(k: Value) -> None:
                target = emit.builder.select(is_inside, emit.load_scalar(emit.address_of(row, k)), zero)
                emit.store_scalar(target, self._lane_address(self._group.targets, k, lane))

            emit.loop(num_classes, load_class)

        emit.loop(emit.machine.lanes, load_lane)

    def store_logits(self, logits: Value, first: Value, batch: Value) -> None:
        """Store the group's logits to (B, K), without the lanes past the batch."""
        emit, num_classes = self._emit, self._layout.num_classes

        def store_lane(lane: Value) -> None:
            row = emit.address_of(logits, emit.mul_ints(emit.add_ints(first, lane), num_classes))

            def store_class(k: Value) -> None:
                logit = emit.load_scalar(self._lane_address(self._group.logits, k, lane))
                emit.store_scalar(logit, emit.address_of(row, k))

            emit.loop(num_classes, store_class)

        remaining = emit.builder.sub(batch, first)
        emit.loop(emit.min_ints(remaining, emit.int_constant(emit.machine.lanes)), store_lane)

    def _lane_address(self, vectors: Value, vector: Value, lane: Value) -> Value:
        """Return the address of one lane of a vector."""
        emit = self._emit
        return emit.address_of(vectors, emit.add_ints(emit.mul_ints(vector, emit.machine.lanes), lane))
