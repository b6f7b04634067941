"""What people wrote on a card is kept when zoo writes it anew. The one door to yaml.

zoo writes between two marks, and the fields of the metadata it knows; all else on a card is its owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BEGIN = "<!-- zoo: written anew at each save; write above or below these marks -->"
END = "<!-- /zoo -->"
FENCE = "---\n"


def merged(ours: str, theirs: str) -> str:
    """Return our card with what people wrote on theirs: text outside the marks, and metadata zoo does not write.

    Where theirs has no such text, that of ours stays.
    """
    if not theirs.strip():
        return ours
    our_metadata, our_body = split(ours)
    their_metadata, their_body = split(theirs)
    above, block, below = _parted(our_body)
    their_above, their_block, their_below = _parted(their_body)
    if (their_above + their_below).strip():
        above, below = their_above, their_below
    if not their_block and above.strip():  # a card that zoo never wrote on: its text comes first
        above = above.strip("\n").rstrip() + "\n\n"
    return joined(_merged_metadata(our_metadata, their_metadata), f"{above}{block}{below or chr(10)}")


def metadata_of(card: str) -> dict[str, Any]:
    """Return the metadata at the top of a card; nothing where there is none that can be read."""
    return split(card)[0]


def joined(metadata: Mapping[str, Any], body: str) -> str:
    """Return a card of metadata and text."""
    import yaml

    head = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)
    return f"{FENCE}{head}{FENCE}\n{body}"


def split(text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text below it; metadata that cannot be read stays in the text."""
    import yaml

    text = text.replace("\r\n", "\n")
    head, fence, body = text.removeprefix(FENCE).partition(f"\n{FENCE}")
    if not text.startswith(FENCE) or not fence:
        return {}, text
    try:
        metadata = yaml.safe_load(head)
        joined(metadata, "")  # what cannot be written again is not metadata either
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return {}, text
    return (metadata, body.lstrip("\n")) if isinstance(metadata, dict) else ({}, text)


def _parted(body: str) -> tuple[str, str, str]:
    """Return the text above zoo's block, the block with its marks, and the text below; a lone mark is nobody's text."""
    end = body.rfind(END)
    begin = body.rfind(BEGIN, 0, end) if end >= 0 else -1
    if begin < 0:
        return _unmarked(body), "", ""
    end += len(END)
    return _unmarked(body[:begin]), body[begin:end], _unmarked(body[end:])


def _unmarked(text: str) -> str:
    return text.replace(BEGIN, "").replace(END, "")


def _merged_metadata(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return their metadata with the fields zoo writes; tags and results of other models stay beside ours."""
    tags = dict.fromkeys(tag for tag in [*_list(ours.get("tags")), *_list(theirs.get("tags"))] if isinstance(tag, str))
    index = _list(ours.get("model-index"))
    names = [entry["name"] for entry in index]
    index += [entry for entry in _list(theirs.get("model-index")) if not _is_named(entry, names)]
    return {**theirs, **ours, "tags": list(tags), **({"model-index": index} if index else {})}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _is_named(entry: Any, names: list[str]) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"] in names
