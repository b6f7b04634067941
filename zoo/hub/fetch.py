"""Fetch weights that another library published: the safetensors file and its config, nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from zoo.errors import HubUnreachableError, WeightsError
from zoo.files.atomic import write_new_file
from zoo.files.checked_json import parse_json
from zoo.hub.cache import PullResult, PullSource, RepoCache
from zoo.hub.client import HubClient, is_offline
from zoo.hub.download import Snapshot, check_listing, download
from zoo.hub.repository import resolve_commit
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS
from zoo.saving.reference import HubReference

HASHES_FILE = "sha256.json"


def fetch_third_party(text: str) -> PullResult | None:
    """Download another library's weights and return their folder; None if zoo saved the repository's model.

    A file in the client's own cache is used instead if it has the hash that the Hub lists; offline, if it has the hash
    it is filed by.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: The weights cannot be downloaded, or are not a safetensors file.
    """
    reference = HubReference.parse(text)
    client = HubClient.from_environment()
    cache = RepoCache.for_reference(reference, client, check=_check_hashes, subfolder="foreign")
    with cache.translate_os_errors(reference):
        if is_offline():
            return _find_local(reference, client, cache)
        try:
            return _fetch_online(reference, client, cache)
        except HubUnreachableError:
            local = _find_local(reference, client, cache)
            if local is None:
                raise
            return local


def _find_local(reference: HubReference, client: HubClient, cache: RepoCache) -> PullResult | None:
    """Return whole weights on this machine: fetched before, or in the client's cache."""
    commit = reference.commit or cache.get_remembered_commit(reference)
    if commit and cache.is_complete(commit):
        return PullResult(folder=cache.commit_path(commit), reference=reference, commit=commit, source="cache")
    path = client.find_cached(reference, WEIGHTS)
    if path is None or _hash_file(path) != path.resolve().name:
        return None
    return PullResult(folder=path.parent, reference=reference, commit=path.parent.name, source="cache")


def _fetch_online(reference: HubReference, client: HubClient, cache: RepoCache) -> PullResult | None:
    commit = reference.commit or resolve_commit(client, reference)
    snapshot = Snapshot(client=client, reference=reference, commit=commit)
    source: PullSource = "cache"
    if not cache.is_complete(commit):
        files = snapshot.list_files((CONFIG, WEIGHTS, HISTORY))
        if HISTORY in files:
            return None
        check_listing(
            snapshot,
            files,
            required=(WEIGHTS,),
            problem=lambda missing: (
                f"{reference} has no {missing}: other files may be pickles, which zoo never opens; "
                "give the weights as a safetensors file"
            ),
        )
        source = cache.add(commit, lambda target: download(snapshot, files, target, check=_write_hashes, reuse=True))
    if not reference.commit:
        cache.remember_commit(reference, commit)
    return PullResult(folder=cache.commit_path(commit), reference=reference, commit=commit, source=source)


def _write_hashes(folder: Path) -> None:
    """Write the sha256 of each file beside the files; without it the folder counts as incomplete."""
    hashes = {name: _hash_file(folder / name) for name in (CONFIG, WEIGHTS) if (folder / name).exists()}
    write_new_file(folder / HASHES_FILE, json.dumps(hashes).encode())


def _check_hashes(folder: Path) -> None:
    """Check a folder's files against the hashes written beside them.

    Raises:
        WeightsError: A file is missing or damaged.
    """
    try:
        hashes = parse_json((folder / HASHES_FILE).read_bytes(), name=str(folder / HASHES_FILE))
        damaged = [name for name, digest in hashes.items() if _hash_file(folder / name) != digest]
    except OSError as error:
        raise WeightsError(f"{folder} is incomplete: {error}") from None
    if damaged or WEIGHTS not in hashes:
        raise WeightsError(f"{folder} is damaged")


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
