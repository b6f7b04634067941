"""Parse JSON strictly, and write JSON with a checksum of itself. No torch here.

Strictly: one object of bounded size, without duplicate keys, with finite numbers only. The checksum is the last field,
`seal`: the sha256 of the text with zeros in the place of the checksum.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from zoo.errors import WeightsError

MAX_JSON_BYTES = 1 << 20
"""Largest document that is parsed, in bytes."""
BLANK_CHECKSUM = "0" * 64
"""What replaces the checksum while it is computed."""


def parse_json(data: bytes | str, *, name: str, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises:
        WeightsError: It is larger than `limit` bytes, not a JSON object, or has a duplicate key, a NaN or infinite
            number, or an unpaired surrogate.
    """
    if len(data) > limit:
        raise WeightsError(f"{name} is {len(data)} bytes; zoo reads at most {limit}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        record = json.loads(
            text, object_pairs_hook=_reject_duplicate_keys, parse_float=_parse_finite, parse_constant=_reject_constant
        )
        if "\\u" in text:
            json.dumps(record, ensure_ascii=False).encode()  # an unpaired surrogate, such as \ud800, cannot be encoded
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} is not JSON that zoo reads: {str(error)[:200] or type(error).__name__}") from error
    if not isinstance(record, dict):
        raise WeightsError(f"{name} is not a JSON object")
    return record


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("it has a duplicate key")
    return record


def _parse_finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def _reject_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")


def dump_with_checksum(record: Mapping[str, Any]) -> str:
    """Return a record as JSON, one field per line, with a checksum as last field.

    The checksum detects damage, not forgery: anybody can compute it.
    """
    lines = [
        f"  {json.dumps(key)}: {_format_value(value)}" for key, value in {**record, "seal": BLANK_CHECKSUM}.items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    head, _, tail = text.rpartition(BLANK_CHECKSUM)
    return head + hashlib.sha256(text.encode()).hexdigest() + tail


def _format_value(value: Any) -> str:
    """Return JSON; a value with nested parts, such as the tensors, gets one line per part."""
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
    """Raise unless `checksum`, a field of `text`, is the one that `dump_with_checksum` wrote.

    Raises:
        WeightsError: It is missing, or the text was changed.
    """
    if not isinstance(checksum, str) or len(checksum) != len(BLANK_CHECKSUM):
        raise WeightsError(f"{name} has no checksum; zoo did not write it, or it is damaged")
    head, _, tail = text.rpartition(checksum)
    if hashlib.sha256((head + BLANK_CHECKSUM + tail).encode()).hexdigest() != checksum:
        raise WeightsError(f"{name} is damaged or was changed: its sha256 is not the one in its field 'seal'")
