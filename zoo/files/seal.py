"""JSON that shows when a byte of it has changed: the last field is the sha256 of all the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from zoo.errors import WeightsError

BLANK_CHECKSUM = "0" * 64
"""What stands in the place of the seal while it is computed."""


def dump_with_checksum(record: Mapping[str, Any]) -> str:
    """Return a record as JSON, a field a line, ending in a seal: the sha256 of the text with zeros in its place.

    A seal shows damage, not forgery: anybody can compute one.
    """
    lines = [
        f"  {json.dumps(key)}: {_format_value(value)}" for key, value in {**record, "seal": BLANK_CHECKSUM}.items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    head, _, tail = text.rpartition(BLANK_CHECKSUM)
    return head + hashlib.sha256(text.encode()).hexdigest() + tail


def _format_value(value: Any) -> str:
    """Return JSON with what has many parts, such as the tensors, a line each."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if not any(isinstance(part, Mapping | list | tuple) for part in parts):
        return _dump(value)
    if isinstance(value, Mapping):
        lines = [f"{json.dumps(key)}: {_dump(part)}" for key, part in value.items()]
        return "{\n    " + ",\n    ".join(lines) + "\n  }"
    return "[\n    " + ",\n    ".join(_dump(part) for part in value) + "\n  ]"


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, default=dict)


def verify_checksum(text: str, checksum: Any, *, name: str) -> None:
    """Raise unless `checksum`, which stands in `text`, is the one that `sealed` would write there.

    Raises:
        WeightsError: It is missing, or the text was changed.
    """
    if not isinstance(checksum, str) or len(checksum) != len(BLANK_CHECKSUM):
        raise WeightsError(f"{name} has no seal; it was not written by zoo, or is damaged")
    head, _, tail = text.rpartition(checksum)
    if hashlib.sha256((head + BLANK_CHECKSUM + tail).encode()).hexdigest() != checksum:
        raise WeightsError(f"{name} is damaged or was changed: its sha256 is not the one that seals it")
