"""From a Hub to a folder for weights that another library published: safetensors and its config, nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zoo.errors import HubNotFoundError, HubUnreachableError, HubUntrustedError, WeightsError
from zoo.files.atomic import acquire_lock, replace_folder, write_new_file
from zoo.files.checked_json import parse_json
from zoo.hub.cache import PullResult, RepoCache
from zoo.hub.client import HubClient, is_offline
from zoo.hub.plan import MAX_FILE_BYTES
from zoo.hub.repository import RemoteFile, list_files, resolve_commit
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS
from zoo.saving.reference import HubReference

HASHES_FILE = "sha256.json"
LOCK_TIMEOUT = 600.0
"""Seconds to wait for another process that downloads the same commit."""


def fetch_third_party(reference: str) -> PullResult | None:
    """Bring another library's weights here, and return their folder; None if zoo saved what lies there.

    What the client's own cache holds is taken if it has the hash that the Hub lists, or offline the one it is filed by.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: They cannot be had, or are no safetensors.
    """
    asked = HubReference.parse(reference)
    client = HubClient.from_environment()
    shelf = RepoCache.for_reference(asked, client)
    shelf = replace(shelf, folder=shelf.folder / "foreign")
    if is_offline():
        return _find_local(asked, client, shelf)
    try:
        commit = asked.commit or resolve_commit(client, asked)
        return _fetch_online(asked, commit, client, shelf)
    except HubUnreachableError:
        known = _find_local(asked, client, shelf)
        if known is None:
            raise
        return known


def _find_local(reference: HubReference, client: HubClient, cache: RepoCache) -> PullResult | None:
    """Return what lies on this machine and is whole: fetched before, or in the client's cache."""
    commit = reference.commit or cache.get_remembered_commit(reference)
    if commit and _is_complete(cache.commit_path(commit)):
        return PullResult(folder=cache.commit_path(commit), reference=reference, commit=commit, source="cache")
    path = client.find_cached(reference, WEIGHTS)
    if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != path.resolve().name:
        return None
    return PullResult(folder=path.parent, reference=reference, commit=path.parent.name, source="cache")


def _is_complete(folder: Path) -> bool:
    try:
        sums = parse_json((folder / HASHES_FILE).read_bytes(), name=str(folder / HASHES_FILE))
        return WEIGHTS in sums and all(_hash_file(folder / name) == told for name, told in sums.items())
    except (OSError, WeightsError):
        return False


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fetch_online(reference: HubReference, commit: str, client: HubClient, cache: RepoCache) -> PullResult | None:
    place = cache.commit_path(commit)
    if not _is_complete(place):
        remote = list_files(client, reference, commit, (CONFIG, WEIGHTS, HISTORY))
        if HISTORY in remote:
            return None
        _check_listing(reference, remote)
        cache.folder.mkdir(parents=True, exist_ok=True)
        with acquire_lock(cache.folder / f"{commit}.pull", timeout=LOCK_TIMEOUT):
            if not _is_complete(place):
                _download(reference, commit, client, place, remote)
    if not reference.commit:
        cache.remember_commit(reference, commit)
    return PullResult(folder=place, reference=reference, commit=commit, source="hub")


def _check_listing(reference: HubReference, remote: Mapping[str, RemoteFile]) -> None:
    if WEIGHTS not in remote:
        told = "other files may be pickles, which zoo never opens"
        raise HubNotFoundError(f"{reference} has no {WEIGHTS}: {told}; give the weights as a safetensors file")
    for name, each in remote.items():
        if each.size > MAX_FILE_BYTES.get(name, each.size):
            raise HubUntrustedError(
                f"{name} of {reference} is {each.size} bytes; zoo reads at most {MAX_FILE_BYTES[name]}"
            )


def _download(
    reference: HubReference, commit: str, client: HubClient, target: Path, remote: Mapping[str, RemoteFile]
) -> None:
    with replace_folder(target, timeout=LOCK_TIMEOUT) as staged:
        sums = {}
        for name, each in remote.items():
            data = _read_or_download(reference, name, commit, client, staged, each)
            write_new_file(staged / name, data)
            sums[name] = hashlib.sha256(data).hexdigest()
        shutil.rmtree(staged / ".cache", ignore_errors=True)  # what the client notes beside its downloads
        write_new_file(staged / HASHES_FILE, json.dumps(sums).encode())


def _read_or_download(
    reference: HubReference, name: str, commit: str, client: HubClient, staged: Path, remote: RemoteFile
) -> bytes:
    """Return a file's bytes, from the client's cache or from the Hub; each is checked."""
    path = client.find_cached(reference, name, commit=commit)
    data = path.read_bytes() if path is not None else b""
    for _ in range(2):
        if remote.is_match(data):
            return data
        client.download(reference, name, commit=commit, size=remote.size, folder=staged)
        data = (staged / name).read_bytes()
        (staged / name).unlink()
    if not remote.is_match(data):
        raise HubUnreachableError(f"{name} of {reference} arrived damaged, twice; try again later")
    return data
