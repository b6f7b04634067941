"""The metadata at the top of a README: read, and checked for what it must say."""

import re
from typing import Any

import yaml

FRONT = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def metadata(text: str) -> Any:
    """Return what the YAML at the top says, None where there is none; raise yaml's error where it is broken."""
    front = FRONT.search(text)
    return yaml.safe_load(front[1]) if front else None


def body(text: str) -> str:
    """Return the text below the metadata."""
    return FRONT.sub("", text, count=1).lstrip("\r\n")


def complaints(text: str, *, kind: str = "model") -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of a card."""
    try:
        found = metadata(text)
    except yaml.YAMLError as error:
        return [f"the YAML metadata cannot be read: {error}"], []
    if found is None:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(found, dict):
        return ["the YAML metadata should be a mapping"], []
    return [] if isinstance(found.get("license"), str | list) else ['"license" is required'], []


def tags(found: Any, *, kind: str) -> list[str]:
    """Return the tags a repository is listed under."""
    if not isinstance(found, dict):
        return []
    plain = [found.get("library_name"), found.get("pipeline_tag"), *as_list(found.get("tags"))]
    spoken = [f"{name}:{each}" for name in ("license", "dataset") for each in as_list(found.get(name))]
    spoken += [f"dataset:{each}" for each in as_list(found.get("datasets"))]
    return list(dict.fromkeys(str(each) for each in [*plain, *spoken] if each))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
