"""Pin references in `zoo.lock` to a commit and the hashes of its files, so that they stay the same: one pin a line."""

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
from zoo.files.atomic import acquire_lock, replace_file
from zoo.files.checked_json import parse_json
from zoo.hub.cache import PullResult
from zoo.saving.folder import CONFIG, WEIGHTS
from zoo.saving.reference import HubReference, is_commit

LOCK_FILE = "zoo.lock"
FORMAT = 1
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")
PIN_FIELDS = ("commit", "sha256", "config_sha256")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """The commit of a reference, and the sha256 of its weights and of its config."""

    commit: str
    sha256: str
    config_sha256: str

    @classmethod
    def from_pull(cls, pulled: PullResult) -> Pin:
        """Return the pin of a downloaded model."""
        weights, config = (
            hashlib.sha256((pulled.folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, CONFIG)
        )
        return cls(commit=pulled.commit, sha256=weights, config_sha256=config)


Pins = Mapping[str, Pin]


def get_path() -> Path:
    """Return the path of the lock file: ZOO_LOCK, or `zoo.lock` in the current folder."""
    return Path(os.environ.get("ZOO_LOCK") or LOCK_FILE).expanduser()


def read_pins(path: Path) -> Pins:
    """Return the pins of a lock file by reference; an empty mapping if the file does not exist.

    Raises:
        HubError: The file cannot be read, or is not a lock file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise HubError(f"{path} cannot be read: {error.strerror or error}; repair or remove it") from None
    try:
        return _parse_pins(parse_json(data, name=str(path)))
    except (ZooError, ValueError) as error:
        raise HubError(f"{path} is not a lock file of zoo: {error}; repair it, or remove it and pin again") from None


def write_pin(path: Path, pulled: PullResult) -> Pin:
    """Add or replace the pin of a downloaded model in a lock file, and return the pin.

    Raises:
        HubError: The file is not a lock file, or cannot be written.
    """
    new_pin = Pin.from_pull(pulled)
    try:
        with acquire_lock(path):
            replace_file(path, _format_pins({**read_pins(path), str(pulled.reference): new_pin}).encode())
    except OSError as error:
        raise HubError(f"{path} cannot be written: {error.strerror or error}; check its permissions") from None
    return new_pin


def _parse_pins(record: dict[str, Any]) -> Pins:
    if record.get("format") != FORMAT or set(record) != {"format", "pins"} or not isinstance(record["pins"], dict):
        raise WeightsError(f"its fields are not exactly format, which is {FORMAT}, and pins")
    return {
        str(HubReference.parse(text)): _parse_pin(HubReference.parse(text), pin) for text, pin in record["pins"].items()
    }


def _parse_pin(reference: HubReference, fields: Any) -> Pin:
    if not isinstance(fields, dict) or set(fields) != set(PIN_FIELDS) or not is_commit(fields["commit"]):
        raise WeightsError(f"the pin of {reference} does not have a commit and two sha256")
    if not all(isinstance(fields[name], str) and SHA256_PATTERN.fullmatch(fields[name]) for name in PIN_FIELDS[1:]):
        raise WeightsError(f"the pin of {reference} has an invalid sha256")
    if (reference.commit or fields["commit"]) != fields["commit"]:
        raise WeightsError(f"the pin of {reference} has another commit")
    return Pin(**fields)


def _format_pins(pins: Pins) -> str:
    lines = [f"    {json.dumps(text)}: {json.dumps(vars(pins[text]), sort_keys=True)}" for text in sorted(pins)]
    return f'{{\n  "format": {FORMAT},\n  "pins": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
