"""What people wrote on a card is kept when zoo writes it anew. The one door to yaml.

zoo writes between two marks, and the fields of the metadata it knows; all else on a card is its owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BEGIN_MARK = "<!-- zoo: written anew at each save; write above or below these marks -->"
END_MARK = "<!-- /zoo -->"
FENCE = "---\n"


def merge_cards(new: str, existing: str) -> str:
    """Return our card with what people wrote on theirs: text outside the marks, and metadata zoo does not write.

    Where theirs has no such text, that of ours stays.
    """
    if not existing.strip():
        return new
    our_metadata, our_body = split_card(new)
    their_metadata, their_body = split_card(existing)
    above, block, below = _split_block(our_body)
    their_above, their_block, their_below = _split_block(their_body)
    if (their_above + their_below).strip():
        above, below = their_above, their_below
    if not their_block and above.strip():  # a card that zoo never wrote on: its text comes first
        above = above.strip("\n").rstrip() + "\n\n"
    return join_card(_merge_metadata(our_metadata, their_metadata), f"{above}{block}{below or chr(10)}")


def metadata_of(card: str) -> dict[str, Any]:
    """Return the metadata at the top of a card; nothing where there is none that can be read."""
    return split_card(card)[0]


def join_card(metadata: Mapping[str, Any], body: str) -> str:
    """Return a card of metadata and text."""
    import yaml

    head = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)
    return f"{FENCE}{head}{FENCE}\n{body}"


def split_card(text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text below it; metadata that cannot be read stays in the text."""
    import yaml

    text = text.replace("\r\n", "\n")
    head, fence, body = text.removeprefix(FENCE).partition(f"\n{FENCE}")
    if not text.startswith(FENCE) or not fence:
        return {}, text
    try:
        metadata = yaml.safe_load(head)
        join_card(metadata, "")  # what cannot be written again is not metadata either
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return {}, text
    return (metadata, body.lstrip("\n")) if isinstance(metadata, dict) else ({}, text)


def _split_block(body: str) -> tuple[str, str, str]:
    """Return the text above zoo's block, the block with its marks, and the text below; a lone mark is nobody's text."""
    end = body.rfind(END_MARK)
    begin = body.rfind(BEGIN_MARK, 0, end) if end >= 0 else -1
    if begin < 0:
        return _strip_marks(body), "", ""
    end += len(END_MARK)
    return _strip_marks(body[:begin]), body[begin:end], _strip_marks(body[end:])


def _strip_marks(text: str) -> str:
    return text.replace(BEGIN_MARK, "").replace(END_MARK, "")


def _merge_metadata(new: Mapping[str, Any], existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return their metadata with the fields zoo writes; tags and results of other models stay beside ours."""
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
