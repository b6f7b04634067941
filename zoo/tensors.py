"""Read and write safetensors files: the one door to the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from zoo.errors import WeightsError

KEY = "zoo"
MAX_HEADER = 1 << 20
"""Largest header that is parsed, in bytes: 1 MiB describes more than 10,000 tensors."""


def to_bytes(tensors: Mapping[str, Tensor], about: str) -> bytes:
    """Return the bytes of a safetensors file; tied, strided and device tensors are written as plain copies.

    Equal tensors and text give equal bytes: `about` is the one entry of the header's metadata, since safetensors
    writes several in any order.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return safetensors.torch.save(plain, {KEY: about} if about else {})


def from_bytes(data: bytes, *, name: str | Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a safetensors file's bytes, and the text zoo wrote about them (empty if another wrote it).

    Raises:
        WeightsError: The bytes are no safetensors file, or the header is larger than `MAX_HEADER`.
    """
    header = _header(data, name)
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{name} is damaged: {error}") from error
    return tensors, str(header.get("__metadata__", {}).get(KEY, ""))


def read(path: Path) -> tuple[dict[str, Tensor], str]:
    """Read a safetensors file; see `from_bytes`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    return from_bytes(data, name=path)


def _header(data: bytes, name: str | Path) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise WeightsError(f"{name} is damaged: it ends before its header does ({len(data)} bytes)")
    if length > MAX_HEADER:
        raise WeightsError(f"{name} has a header of {length} bytes; zoo reads at most {MAX_HEADER}")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} is damaged: its header is no JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise WeightsError(f"{name} is damaged: its header is no JSON object")
    return header
