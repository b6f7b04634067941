"""Copy, compare and hash the state of nets, and read the state of the global random generators."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from zoo.seeding import make_generator

State = Mapping[str, Tensor]


def copy_state(net: Module) -> dict[str, Tensor]:
    """Return a copy of a net's weights and buffers."""
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def is_equal(first: State, second: State) -> bool:
    """Return whether two state dicts have the same names and bitwise equal tensors."""
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def find_shared_tensors(first: Module, second: Module) -> list[str]:
    """Return the names of the second net's tensors whose memory the first net uses too."""
    pointers = {tensor.data_ptr() for tensor in first.state_dict().values() if tensor.numel()}
    return [name for name, each in second.state_dict().items() if each.numel() and each.data_ptr() in pointers]


def find_weights_without_gradient(net: Module) -> list[str]:
    """Return the names of the trainable weights that the last backward pass did not reach."""
    return [name for name, weight in net.named_parameters() if weight.requires_grad and weight.grad is None]


def hash_tensors(state: State) -> str:
    """Return a sha256 over the names, dtypes, shapes and bytes of tensors, in their order."""
    sha256 = hashlib.sha256()
    for name, tensor in state.items():
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha256.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha256.hexdigest()


def perturb_weights(net: Module) -> Module:
    """Add small random numbers to every weight, so that no fault hides behind a weight of zero, and return the net."""
    rng = make_generator(5, "weights")
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=rng))
    return net


def get_random_states() -> tuple[Any, ...]:
    """Return the global random states of Python, numpy and torch."""
    legacy = np.random.get_state()
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[union-attr, index]
