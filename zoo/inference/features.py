"""What a net has found in an image before it decides: the input of the layer that gives the logits."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import Conv2d, Linear, Module

from zoo.errors import PluginError

ADVICE = "its plugin can give the net forward_features(images) and forward_head(features, pre_logits=True)"


def extract_features(net: Module, images: Tensor, *, name: str) -> Tensor:
    """Return the features (B, D) of normalised images (B, C, H, W), in the net's own number type.

    A net says how by two methods, as those of timm do: `forward_features(images)` gives what its body finds, and
    `forward_head(found, pre_logits=True)` one vector for each image. Of other nets it is the input of the last linear
    layer or convolution, if that gives a number for each class; what it gets at several places is averaged over them.

    Raises:
        PluginError: The net has no such layer, or the methods give something else than a vector for each image.
    """
    found = _call_feature_methods(net, images) if has_feature_methods(net) else _capture_last_input(net, images, name)
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(images):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise PluginError(f"{name}: the features of {len(images)} images are {shape}, not ({len(images)}, D); {ADVICE}")
    return found


def has_feature_methods(net: Module) -> bool:
    """Return whether a net says what its features are."""
    return callable(getattr(net, "forward_features", None)) and callable(getattr(net, "forward_head", None))


def _call_feature_methods(net: Any, images: Tensor) -> Any:
    return net.forward_head(net.forward_features(images), pre_logits=True)


def _capture_last_input(net: Module, images: Tensor, name: str) -> Tensor:
    """Return what the last layer gets while the net answers, one vector for each image."""
    calls: list[tuple[Module, Tensor, Tensor]] = []

    def note(layer: Module, given: tuple[Tensor, ...], named: dict[str, Tensor], answer: Tensor) -> None:
        calls[:] = [(layer, (*given, *named.values())[0], answer)]

    layers = [module for module in net.modules() if isinstance(module, Linear | Conv2d)]
    hooks = [layer.register_forward_hook(note, with_kwargs=True) for layer in layers]
    try:
        logits: Tensor = net(images)
    finally:
        for hook in hooks:
            hook.remove()
    if not calls:
        raise PluginError(f"{name} has no features: no linear layer or convolution gives its logits; {ADVICE}")
    layer, given, answer = calls[0]
    axis = 1 if isinstance(layer, Conv2d) else -1
    if answer.shape[axis] != logits.shape[1]:
        told = f"its last layer gives {answer.shape[axis]} numbers for {logits.shape[1]} classes"
        raise PluginError(f"{name} has no features: {told}; {ADVICE}")
    return _average_positions(given.movedim(1, -1) if isinstance(layer, Conv2d) else given)


def _average_positions(features: Tensor) -> Tensor:
    """Return vectors (B, ..., D) as one a row, (B, D)."""
    return features if features.ndim < 3 else features.flatten(1, -2).mean(1)
