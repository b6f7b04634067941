"""Encode nested values with tensors as JSON and named tensors, and decode them. No pickle."""

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
"""Longest name of a tensor in characters; `zoo.files.safetensors_header` reads at most 1000."""


def encode_state(value: Any, tensors: Tensors, name: str = "") -> Any:
    """Return a value as JSON, and add each tensor in it to `tensors`, named by its path in the value.

    Numbers, text, tensors, numpy arrays, lists, tuples and dicts with any plain keys are decoded to equal values of the
    same type, also numbers that are not finite.

    Raises:
        WeightsError: The value contains something else.
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
        return [encode_state(each, tensors, f"{name}.{index}") for index, each in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": encode_state(list(value), tensors, name)}
    if isinstance(value, Mapping):
        return _encode_mapping(value, tensors, name)
    kind = type(value).__name__
    raise WeightsError(f"a {kind} at {name or 'the top'} cannot be stored; use numbers, text and tensors")


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
    """Return the value that `encode_state` encoded, from its JSON and its tensors.

    Raises:
        WeightsError: `encode_state` did not write the JSON, or it names a missing tensor.
    """
    if isinstance(value, list):
        return [decode_state(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    try:
        return _decode_tagged(value, tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"this is not a state that zoo wrote: {type(error).__name__}: {error}") from error


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
    """Return an array as a tensor; unsigned integers, of which safetensors has only uint8 everywhere, as int64."""
    if array.dtype.kind == "u" and array.dtype.itemsize < 8:
        array = array.astype(np.int64)
    try:
        return torch.from_numpy(np.ascontiguousarray(array))
    except TypeError as error:
        raise WeightsError(f"an array of {array.dtype} at {name or 'the top'} cannot be stored") from error


def _add_tensor(tensor: Tensor, tensors: Tensors, name: str) -> str:
    """Add a tensor under a unique name made from its path, with only characters that a header may have."""
    printable = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    base = printable[-MAX_TENSOR_NAME:] or "tensor"
    unique = base
    while unique in tensors:
        unique = f"{printable[-MAX_TENSOR_NAME:]}~{len(tensors)}"
    tensors[unique] = tensor
    return unique
