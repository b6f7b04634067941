"""`zoo.lock`: which commit and which bytes a reference was, so that it is the same tomorrow. One pin a line."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import HubError, WeightsError, ZooError
from zoo.files.atomic import locked, replace_file
from zoo.files.checked_json import parsed
from zoo.hub.cache import Pulled
from zoo.saving.folder import CONFIG, WEIGHTS
from zoo.saving.hub_reference import Reference, is_commit

NAME = "zoo.lock"
FORMAT = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
FIELDS = ("commit", "sha256", "config_sha256")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """What a reference was: its commit, and the sha256 of its weights and of its config."""

    commit: str
    sha256: str
    config_sha256: str

    @classmethod
    def of(cls, pulled: Pulled) -> Pin:
        """Return the pin of a model that lies here."""
        sums = [hashlib.sha256((pulled.folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, CONFIG)]
        return cls(commit=pulled.commit, sha256=sums[0], config_sha256=sums[1])


Pins = Mapping[str, Pin]


def place() -> Path:
    """Return the path of the lock file: ZOO_LOCK, or `zoo.lock` in the current folder."""
    return Path(os.environ.get("ZOO_LOCK") or NAME).expanduser()


def read(path: Path) -> Pins:
    """Return the pins of a lock file by reference; none if there is no such file.

    Raises:
        HubError: It cannot be read as a lock file; it is left as it is.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise HubError(f"{path} cannot be read: {error.strerror or error}; mend it, or remove it") from None
    try:
        return _pins(parsed(data, name=str(path)))
    except (ZooError, ValueError) as error:
        raise HubError(f"{path} is no lock file of zoo: {error}; mend it, or remove it to pin afresh") from None


def pin(path: Path, pulled: Pulled) -> Pin:
    """Write down what a reference is now, beside the other pins.

    Raises:
        HubError: The file is there and no lock file, or cannot be written.
    """
    made = Pin.of(pulled)
    try:
        with locked(path):
            replace_file(path, _text({**read(path), str(pulled.reference): made}).encode())
    except OSError as error:
        raise HubError(f"{path} cannot be written: {error.strerror or error}") from None
    return made


def _pins(record: dict[str, Any]) -> Pins:
    if record.get("format") != FORMAT or set(record) != {"format", "pins"} or not isinstance(record["pins"], dict):
        raise WeightsError(f"it has not the two fields format, which is {FORMAT}, and pins")
    return {str(Reference.parse(text)): _pin(Reference.parse(text), pin) for text, pin in record["pins"].items()}


def _pin(reference: Reference, fields: Any) -> Pin:
    if not isinstance(fields, dict) or set(fields) != set(FIELDS) or not is_commit(fields["commit"]):
        raise WeightsError(f"the pin of {reference} has not a commit and two sha256")
    if not all(isinstance(fields[name], str) and SHA256.fullmatch(fields[name]) for name in FIELDS[1:]):
        raise WeightsError(f"the pin of {reference} has a sha256 that is none")
    if (reference.commit or fields["commit"]) != fields["commit"]:
        raise WeightsError(f"the pin of {reference} has another commit")
    return Pin(**fields)


def _text(pins: Pins) -> str:
    lines = [f"    {json.dumps(text)}: {json.dumps(vars(pins[text]), sort_keys=True)}" for text in sorted(pins)]
    return f'{{\n  "format": {FORMAT},\n  "pins": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
