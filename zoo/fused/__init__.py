"""Stacks of graph convolutions trained in one piece: loss and gradient of a batch in one call of a compiled program.

`Stack` and `Layer` are what a net says of itself, in a method `stack()`; `fused` is what the trainer asks.
"""

from zoo.fused.dispatch import answering, fused, released
from zoo.fused.stack import Layer, Stack, Stacked

__all__ = ["Layer", "Stack", "Stacked", "answering", "fused", "released"]
