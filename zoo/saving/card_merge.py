"""Merge a new card with an existing one, so that what people wrote on it stays. Door: yaml.

zoo writes the text between two marks and the metadata fields it knows. Everything else on a card belongs to its owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BEGIN_MARK = "<!-- zoo: written anew at each save; write above or below these marks -->"
END_MARK = "<!-- /zoo -->"
"""The marks around zoo's text; cards that were saved before have them, so they never change."""
FENCE = "---\n"


def merge_cards(new: str, existing: str) -> str:
    """Return a new card with what people wrote on the existing one.

    These are its text outside the marks, and its metadata that zoo does not write. If it has no text outside the marks,
    that of the new card stays.

    Args:
        new: The card as zoo writes it.
        existing: The card that people may have edited.
    """
    if not existing.strip():
        return new
    new_metadata, new_body = split_card(new)
    old_metadata, old_body = split_card(existing)
    above, block, below = _split_block(new_body)
    old_above, old_block, old_below = _split_block(old_body)
    if (old_above + old_below).strip():
        above, below = old_above, old_below
    if not old_block and above.strip():  # a card that zoo never wrote: its text comes first
        above = above.strip("\n").rstrip() + "\n\n"
    return join_card(_merge_metadata(new_metadata, old_metadata), f"{above}{block}{below or chr(10)}")


def join_card(metadata: Mapping[str, Any], body: str) -> str:
    """Return a card with metadata in YAML above its text."""
    import yaml

    head = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)
    return f"{FENCE}{head}{FENCE}\n{body}"


def split_card(text: str) -> tuple[dict[str, Any], str]:
    """Split a card into metadata and text; metadata that cannot be parsed stays in the text."""
    import yaml

    text = text.replace("\r\n", "\n")
    head, fence, body = text.removeprefix(FENCE).partition(f"\n{FENCE}")
    if not text.startswith(FENCE) or not fence:
        return {}, text
    try:
        metadata = yaml.safe_load(head)
        join_card(metadata, "")  # metadata that cannot be written again counts as text
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return {}, text
    return (metadata, body.lstrip("\n")) if isinstance(metadata, dict) else ({}, text)


def _split_block(body: str) -> tuple[str, str, str]:
    """Split text into the part above zoo's block, the block with its marks, and the part below; drop a mark alone."""
    end = body.rfind(END_MARK)
    begin = body.rfind(BEGIN_MARK, 0, end) if end >= 0 else -1
    if begin < 0:
        return _strip_marks(body), "", ""
    end += len(END_MARK)
    return _strip_marks(body[:begin]), body[begin:end], _strip_marks(body[end:])


def _strip_marks(text: str) -> str:
    return text.replace(BEGIN_MARK, "").replace(END_MARK, "")


def _merge_metadata(new: Mapping[str, Any], existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return existing metadata with zoo's fields; other tags and results of other models stay."""
    tags = dict.fromkeys(
        tag for tag in [*_as_list(new.get("tags")), *_as_list(existing.get("tags"))] if isinstance(tag, str)
    )
    index = _as_list(new.get("model-index"))
    names = [entry["name"] for entry in index]
    index += [entry for entry in _as_list(existing.get("model-index")) if not _is_named(entry, names)]
    return {**existing, **new, "tags": list(tags), **({"model-index": index} if index else {})}


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _is_named(entry: Any, names: list[str]) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"] in names
