"""Read and write safetensors files: the one door to the format."""

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
    """Return tensors as they are written: on the CPU, contiguous, none sharing memory with another.

    Raises:
        WeightsError: One is no tensor, or a sparse one.
    """
    odd = [name for name, each in tensors.items() if not isinstance(each, Tensor) or each.layout != torch.strided]
    if odd:
        raise WeightsError(f"{join_names(odd)} cannot be saved: zoo saves plain tensors, and no other state of a net")
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def describe_tensors(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Return type, shape and sha256 of each plain tensor by name, as a manifest holds them."""
    return {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "sha256": hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy().data).hexdigest(),
        }
        for name, tensor in tensors.items()
    }


def to_bytes(tensors: Mapping[str, Tensor], metadata_text: str) -> bytes:
    """Return the bytes of a safetensors file; tied, strided and device tensors are written as plain copies.

    Equal tensors and text give equal bytes: `metadata_text` is the one entry of the header's metadata, since safetensors
    writes several in any order.
    """
    return safetensors.torch.save(to_plain_tensors(tensors), {METADATA_KEY: metadata_text} if metadata_text else {})


def from_bytes(data: bytes, *, name: str | Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a safetensors file's bytes, and the text zoo wrote about them (empty if another wrote it).

    Raises:
        WeightsError: The bytes are no safetensors file, or the header is larger than
            `zoo.files.safetensors_header.MAX_HEADER`.
    """
    length = parse_header_length(data[:8], len(data), name=str(name))
    header = parse_header(data[8 : 8 + length], len(data), name=str(name))
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{name} is damaged: {error}") from error
    return tensors, header.metadata.get(METADATA_KEY, "")


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return what `from_bytes` returns for a file, whose header is checked before the rest is read.

    Raises:
        WeightsError: The file cannot be read, or is no safetensors file.
    """
    return from_bytes(read_safetensors_bytes(path), name=path)
