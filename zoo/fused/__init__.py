"""Train a stack of graph convolutions as one compiled program: one call computes loss and gradient of a batch.

A net describes itself as a `Stack` of `Layer`s in its method `stack()`. `fuse_training` and `fuse_inference` compile
that description, where it is possible; `unfuse` undoes it.
"""

from zoo.fused.dispatch import fuse_inference, fuse_training, unfuse
from zoo.fused.stack import Layer, Stack, SupportsStack

__all__ = ["Layer", "Stack", "SupportsStack", "fuse_inference", "fuse_training", "unfuse"]
