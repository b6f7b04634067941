"""Extract the features of an image: the input of the layer that gives the logits."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import Conv2d, Linear, Module

from zoo.errors import PluginError

ADVICE = "its plugin can add forward_features(images) and forward_head(features, pre_logits=True) to the net"


def extract_features(net: Module, images: Tensor, *, name: str) -> Tensor:
    """Return the features (B, D) of normalised images (B, C, H, W), in the dtype of the net.

    A net can define its features with two methods, as the nets of timm do: `forward_features(images)` returns the
    output of its body, and `forward_head(output, pre_logits=True)` one vector per image. For other nets the features
    are the input of the last linear layer or convolution, if that layer has one output per class. Several vectors per
    image are averaged over their positions.

    Raises:
        PluginError: The net has no such layer, or its methods do not return one vector per image.
    """
    features = (
        _call_feature_methods(net, images) if has_feature_methods(net) else _capture_last_input(net, images, name)
    )
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(images):
        shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise PluginError(f"{name}: the features of {len(images)} images are {shape}, not ({len(images)}, D); {ADVICE}")
    return features


def has_feature_methods(net: Module) -> bool:
    """Return whether a net defines its features with `forward_features` and `forward_head`."""
    return callable(getattr(net, "forward_features", None)) and callable(getattr(net, "forward_head", None))


def _call_feature_methods(net: Any, images: Tensor) -> Any:
    return net.forward_head(net.forward_features(images), pre_logits=True)


def _capture_last_input(net: Module, images: Tensor, name: str) -> Tensor:
    """Run a net and return the input of its last linear layer or convolution, one vector per image."""
    calls: list[tuple[Module, Tensor, Tensor]] = []

    def record_call(layer: Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor], outputs: Tensor) -> None:
        calls[:] = [(layer, (*inputs, *named.values())[0], outputs)]

    layers = [module for module in net.modules() if isinstance(module, Linear | Conv2d)]
    hooks = [layer.register_forward_hook(record_call, with_kwargs=True) for layer in layers]
    try:
        logits: Tensor = net(images)
    finally:
        for hook in hooks:
            hook.remove()
    if not calls:
        raise PluginError(
            f"{name} has no features: its logits do not come from a linear layer or convolution; {ADVICE}"
        )
    layer, inputs, outputs = calls[0]
    axis = 1 if isinstance(layer, Conv2d) else -1
    if outputs.shape[axis] != logits.shape[1]:
        problem = f"its last layer has {outputs.shape[axis]} outputs for {logits.shape[1]} classes"
        raise PluginError(f"{name} has no features: {problem}; {ADVICE}")
    return _average_positions(inputs.movedim(1, -1) if isinstance(layer, Conv2d) else inputs)


def _average_positions(features: Tensor) -> Tensor:
    """Return vectors (B, ..., D) averaged over all but the first and last axis, (B, D)."""
    return features if features.ndim < 3 else features.flatten(1, -2).mean(1)
