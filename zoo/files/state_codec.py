"""Nested values with tensors in them, taken apart into JSON and named tensors, and put together again. No pickle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.errors import WeightsError

Tensors = dict[str, Tensor]
MAX_TENSOR_NAME = 900
"""Letters of a tensor's name; `zoo.files.safetensors_header` reads no name of more than 1000."""


def encode_state(value: Any, tensors: Tensors, name: str = "") -> Any:
    """Return a value as JSON, and add each tensor in it to `tensors` under the path that leads to it.

    Tuples, dicts with any plain keys, numpy arrays and numbers that are not finite come back as they were.

    Raises:
        WeightsError: Something in it is none of these.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Tensor):
        return {"tensor": _add_tensor(value.detach(), tensors, name)}
    if isinstance(value, np.ndarray):
        return {"array": _add_tensor(_array_to_tensor(value, name), tensors, name), "dtype": str(value.dtype)}
    if isinstance(value, list):
        return [encode_state(each, tensors, f"{name}.{place}") for place, each in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": encode_state(list(value), tensors, name)}
    if isinstance(value, Mapping):
        return _encode_mapping(value, tensors, name)
    raise WeightsError(f"a {type(value).__name__} at {name or 'the top'} cannot be kept; use numbers, text and tensors")


def _encode_mapping(value: Mapping[Any, Any], tensors: Tensors, name: str) -> Any:
    if all(isinstance(key, str) for key in value):
        return {
            "dict": {key: encode_state(each, tensors, f"{name}.{key}" if name else key) for key, each in value.items()}
        }
    pairs = value.items()
    return {
        "pairs": [
            [encode_state(key, tensors, name), encode_state(each, tensors, f"{name}.{key}")] for key, each in pairs
        ]
    }


def decode_state(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return what `apart` was given, from its JSON and its tensors.

    Raises:
        WeightsError: The JSON is not what `apart` returns, or names a tensor that is not there.
    """
    if isinstance(value, list):
        return [decode_state(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    try:
        return _decode_tagged(value, tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"this is no state that zoo wrote: {type(error).__name__}: {error}") from error


def _decode_tagged(value: dict[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    kind = next(iter(value))
    inner = value[kind]
    if kind == "float":
        return float(inner)
    if kind == "tensor":
        return tensors[inner]
    if kind == "array":
        return tensors[inner].numpy().astype(value["dtype"])
    if kind == "tuple":
        return tuple(decode_state(inner, tensors))
    if kind == "dict":
        return {key: decode_state(each, tensors) for key, each in inner.items()}
    if kind == "pairs":
        return {decode_state(key, tensors): decode_state(each, tensors) for key, each in inner}
    raise KeyError(kind)


def _array_to_tensor(array: np.ndarray[Any, Any], name: str) -> Tensor:
    """Return an array as a tensor; unsigned numbers, which safetensors' readers know in one width only, as int64."""
    if array.dtype.kind == "u" and array.dtype.itemsize < 8:
        array = array.astype(np.int64)
    try:
        return torch.from_numpy(np.ascontiguousarray(array))
    except TypeError as error:
        raise WeightsError(f"an array of {array.dtype} at {name or 'the top'} cannot be kept") from error


def _add_tensor(tensor: Tensor, tensors: Tensors, name: str) -> str:
    """Add a tensor under its path, made fit for a safetensors header and unlike all others."""
    wanted = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)[
        -MAX_TENSOR_NAME:
    ]
    free = wanted or "tensor"
    while free in tensors:
        free = f"{wanted}~{len(tensors)}"
    tensors[free] = tensor
    return free
