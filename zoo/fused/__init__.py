"""Stacks of graph convolutions trained in one piece: loss and gradient of a batch in one call of a compiled program.

`Stack` and `Layer` are what a net says of itself, in a method `stack()`; `fused` is what the trainer asks.
"""

from zoo.fused.dispatch import fuse_inference, fuse_training, unfuse
from zoo.fused.stack import Layer, Stack, SupportsStack

__all__ = ["Layer", "Stack", "SupportsStack", "fuse_inference", "fuse_training", "unfuse"]
