"""Put saved tensors and computed buffers into a net, and convert its dtype."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import Module

from zoo.device import DTYPES, get_dtype_name
from zoo.errors import WeightsError
from zoo.saving.manifest import Manifest


def cast_net(net: Module, manifest: Manifest) -> Module:
    """Convert a net to the dtypes that its tensors were saved in, and return it.

    Raises:
        WeightsError: It was saved in a dtype that zoo does not load.
    """
    if manifest.dtype not in (*DTYPES, "mixed"):
        raise WeightsError(f"{manifest.model} was saved as {manifest.dtype!r}; zoo loads {', '.join(DTYPES)}")
    if manifest.dtype != "mixed":
        return net if manifest.dtype == get_dtype_name(net) else net.to(DTYPES[manifest.dtype])
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        dtype = DTYPES.get(manifest.tensors.get(name, {}).get("dtype", ""))
        if dtype is not None and tensor.is_floating_point():
            tensor.data = tensor.data.to(dtype)
    return net


def load_state(net: Module, state: Mapping[str, Tensor]) -> Module:
    """Load tensors into a net, and return it.

    They are merged into the net's own state dict, which has the layer versions that some torchvision nets need for
    loading.
    """
    state_dict = net.state_dict()
    state_dict.update(state)
    net.load_state_dict(state_dict)
    return net


def recompute_buffers(net: Module, fresh_net: Module) -> Module:
    """Copy buffers that are computed, not stored, from a fresh net, in the dtypes of `net`; return `net`."""
    stored, fresh_buffers = net.state_dict().keys(), dict(fresh_net.named_buffers())
    for name, buffer in net.named_buffers():
        if name not in stored and name in fresh_buffers:
            buffer.data = fresh_buffers[name].to(buffer)
    return net
