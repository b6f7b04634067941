"""From a Hub to a folder for weights that another library published: safetensors and its config, nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zoo.errors import HubNotFoundError, HubUnreachableError, HubUntrustedError, WeightsError
from zoo.files.atomic import locked, replacing, write
from zoo.files.checked_json import parsed
from zoo.hub.cache import Pulled, Shelf
from zoo.hub.client import Client, is_offline
from zoo.hub.plan import LIMITS
from zoo.hub.repository import Remote, commit_of, files_of
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS
from zoo.saving.hub_reference import Reference

SUMS = "sha256.json"
WAIT = 600.0
"""Seconds to wait for another process that downloads the same commit."""


def fetch(reference: str) -> Pulled | None:
    """Bring another library's weights here, and return their folder; None if zoo saved what lies there.

    What the client's own cache holds is taken if it has the hash that the Hub lists, or offline the one it is filed by.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: They cannot be had, or are no safetensors.
    """
    asked = Reference.parse(reference)
    client = Client.here()
    shelf = Shelf.of(asked, client)
    shelf = replace(shelf, folder=shelf.folder / "foreign")
    if is_offline():
        return _here(asked, client, shelf)
    try:
        commit = asked.commit or commit_of(client, asked)
        return _online(asked, commit, client, shelf)
    except HubUnreachableError:
        known = _here(asked, client, shelf)
        if known is None:
            raise
        return known


def _here(asked: Reference, client: Client, shelf: Shelf) -> Pulled | None:
    """Return what lies on this machine and is whole: fetched before, or in the client's cache."""
    commit = asked.commit or shelf.remembered(asked)
    if commit and _is_whole(shelf.place(commit)):
        return Pulled(folder=shelf.place(commit), reference=asked, commit=commit, source="cache")
    path = client.cached(asked, WEIGHTS)
    if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != path.resolve().name:
        return None
    return Pulled(folder=path.parent, reference=asked, commit=path.parent.name, source="cache")


def _is_whole(place: Path) -> bool:
    try:
        sums = parsed((place / SUMS).read_bytes(), name=str(place / SUMS))
        return WEIGHTS in sums and all(_sum(place / name) == told for name, told in sums.items())
    except (OSError, WeightsError):
        return False


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _online(asked: Reference, commit: str, client: Client, shelf: Shelf) -> Pulled | None:
    place = shelf.place(commit)
    if not _is_whole(place):
        remote = files_of(client, asked, commit, (CONFIG, WEIGHTS, HISTORY))
        if HISTORY in remote:
            return None
        _check_listed(asked, remote)
        shelf.folder.mkdir(parents=True, exist_ok=True)
        with locked(shelf.folder / f"{commit}.pull", wait=WAIT):
            if not _is_whole(place):
                _bring(asked, commit, client, place, remote)
    if not asked.commit:
        shelf.remember(asked, commit)
    return Pulled(folder=place, reference=asked, commit=commit, source="hub")


def _check_listed(asked: Reference, remote: Mapping[str, Remote]) -> None:
    if WEIGHTS not in remote:
        told = "other files may be pickles, which zoo never opens"
        raise HubNotFoundError(f"{asked} has no {WEIGHTS}: {told}; give the weights as a safetensors file")
    for name, each in remote.items():
        if each.size > LIMITS.get(name, each.size):
            raise HubUntrustedError(f"{name} of {asked} is {each.size} bytes; zoo reads at most {LIMITS[name]}")


def _bring(asked: Reference, commit: str, client: Client, place: Path, remote: Mapping[str, Remote]) -> None:
    with replacing(place, wait=WAIT) as staged:
        sums = {}
        for name, each in remote.items():
            data = _bytes(asked, name, commit, client, staged, each)
            write(staged / name, data)
            sums[name] = hashlib.sha256(data).hexdigest()
        shutil.rmtree(staged / ".cache", ignore_errors=True)  # what the client notes beside its downloads
        write(staged / SUMS, json.dumps(sums).encode())


def _bytes(asked: Reference, name: str, commit: str, client: Client, staged: Path, remote: Remote) -> bytes:
    """Return a file's bytes, from the client's cache or from the Hub; each is checked."""
    path = client.cached(asked, name, commit=commit)
    data = path.read_bytes() if path is not None else b""
    for _ in range(2):
        if remote.is_of(data):
            return data
        client.download(asked, name, commit=commit, size=remote.size, folder=staged)
        data = (staged / name).read_bytes()
        (staged / name).unlink()
    if not remote.is_of(data):
        raise HubUnreachableError(f"{name} of {asked} arrived damaged, twice; try again later")
    return data
