"""Put saved tensors and computed buffers into a net."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import Module

from zoo.device import DTYPES, get_dtype_name
from zoo.errors import WeightsError
from zoo.saving.manifest import Manifest


def cast_net(net: Module, manifest: Manifest) -> Module:
    """Return the net with the number types its tensors were saved in.

    Raises:
        WeightsError: It was saved in a type that zoo does not load.
    """
    if manifest.dtype not in (*DTYPES, "mixed"):
        raise WeightsError(f"{manifest.model} was saved as {manifest.dtype!r}; zoo loads {', '.join(DTYPES)}")
    if manifest.dtype != "mixed":
        return net if manifest.dtype == get_dtype_name(net) else net.to(DTYPES[manifest.dtype])
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        kind = DTYPES.get(manifest.tensors.get(name, {}).get("dtype", ""))
        if kind is not None and tensor.is_floating_point():
            tensor.data = tensor.data.to(kind)
    return net


def load_state(net: Module, state: Mapping[str, Tensor]) -> Module:
    """Give a net these tensors, with the versions of its layers that some torchvision nets ask for when loading."""
    whole = net.state_dict()
    whole.update(state)
    net.load_state_dict(whole)
    return net


def recompute_buffers(net: Module, fresh_net: Module) -> Module:
    """Give a net the buffers that are computed and not stored as they are in a fresh one, in its own number types."""
    stored, made = net.state_dict().keys(), dict(fresh_net.named_buffers())
    for name, buffer in net.named_buffers():
        if name not in stored and name in made:
            buffer.data = made[name].to(buffer)
    return net
