"""Read and write safetensors files. Door: safetensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from zoo.errors import WeightsError, join_names
from zoo.files.safetensors_header import METADATA_KEY, parse_header, parse_header_length, read_safetensors_bytes


def to_plain_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors on the CPU, contiguous, with memory of their own.

    Raises:
        WeightsError: A value is not a tensor, or is sparse.
    """
    unsupported = [
        name for name, each in tensors.items() if not isinstance(each, Tensor) or each.layout != torch.strided
    ]
    if unsupported:
        raise WeightsError(f"{join_names(unsupported)} cannot be saved: zoo saves only dense tensors of a net")
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def describe_tensors(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Return dtype, shape and sha256 of each tensor by name, in the form of a manifest."""
    return {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "sha256": hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy().data).hexdigest(),
        }
        for name, tensor in tensors.items()
    }


def to_bytes(tensors: Mapping[str, Tensor], metadata_text: str) -> bytes:
    """Return the bytes of a safetensors file.

    Tied, strided and device tensors are written as plain copies. Equal tensors and text give equal bytes: the metadata
    of the header has one entry, since safetensors writes several in any order.

    Args:
        tensors: The tensors by name.
        metadata_text: Text for the metadata of the header; without an entry if empty.
    """
    return safetensors.torch.save(to_plain_tensors(tensors), {METADATA_KEY: metadata_text} if metadata_text else {})


def from_bytes(data: bytes, *, name: str | Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a safetensors file, and zoo's text in its metadata (empty in files of others).

    Args:
        data: The bytes of the file.
        name: The file, for messages.

    Raises:
        WeightsError: The bytes are not a safetensors file, or the header is larger than
            `zoo.files.safetensors_header.MAX_HEADER_BYTES`.
    """
    length = parse_header_length(data[:8], len(data), name=str(name))
    header = parse_header(data[8 : 8 + length], len(data), name=str(name))
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{name} is damaged: {error}") from error
    return tensors, header.metadata.get(METADATA_KEY, "")


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a safetensors file, and zoo's text in its metadata; the header is checked first.

    Raises:
        WeightsError: The file cannot be read, or is not a safetensors file.
    """
    return from_bytes(read_safetensors_bytes(path), name=path)
