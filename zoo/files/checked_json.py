"""JSON that came from elsewhere, read strictly: one object, no doubled keys, only finite numbers, bounded size."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from zoo.errors import WeightsError

MAX_JSON_BYTES = 1 << 20
"""Largest document that is parsed, in bytes."""


def parse_json(data: bytes | str, *, name: str, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Return the one JSON object that `data` holds.

    Raises:
        WeightsError: It is larger than `limit`, no JSON object, or holds a key twice, NaN, an infinite number,
            or half a letter.
    """
    if len(data) > limit:
        raise WeightsError(f"{name} is {len(data)} bytes; zoo reads at most {limit}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        record = json.loads(
            text, object_pairs_hook=_reject_duplicate_keys, parse_float=_parse_finite, parse_constant=_reject_constant
        )
        if "\\u" in text:
            json.dumps(record, ensure_ascii=False).encode()  # half a letter, such as \ud800, cannot be written again
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} is no JSON that zoo reads: {str(error)[:200] or type(error).__name__}") from error
    if not isinstance(record, dict):
        raise WeightsError(f"{name} is no JSON object")
    return record


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("it holds a key twice")
    return record


def _parse_finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def _reject_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no finite number")
