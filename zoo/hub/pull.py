"""From a Hub to a folder: one commit, only the files zoo knows, every one checked."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo.errors import HubError, HubNotFoundError, HubUnreachableError, HubUntrustedError, WeightsError, join_names
from zoo.files.atomic import acquire_lock, replace_folder
from zoo.hub import lockfile
from zoo.hub.cache import PullResult, PullSource, RepoCache
from zoo.hub.client import HubClient, is_offline
from zoo.hub.lockfile import Pin
from zoo.hub.plan import MAX_FILE_BYTES
from zoo.hub.repository import RemoteFile, list_files, resolve_commit
from zoo.saving.folder import CONFIG, FILES, HISTORY, WEIGHTS, read_model_files
from zoo.saving.reference import HubReference

REQUIRED_FILES = (CONFIG, WEIGHTS, HISTORY)
LOCK_TIMEOUT = 600.0
"""Seconds to wait for another process that downloads the same commit."""


def pull(reference: str | HubReference, *, update: bool = False) -> PullResult:
    """Bring a model here, if it is not here yet, and return its folder.

    A reference that `zoo.lock` pins is what the pin says. Otherwise it is what the Hub says now; if the Hub cannot be
    asked, what it said last. With `update` it is what the Hub says now, or an error.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: It cannot be had, or is not what was pinned.
        WeightsError: What lies there is no whole saved model.
    """
    asked = HubReference.parse(reference) if isinstance(reference, str) else reference
    pin = None if update else lockfile.read_pins(lockfile.get_path()).get(str(asked))
    client = HubClient.from_environment()
    shelf = RepoCache.for_reference(asked, client)
    try:
        commit = pin.commit if pin else _resolve_commit(asked, client, shelf, update=update)
        return _pull_commit(asked, commit, pin, client, shelf)
    except OSError as error:
        told = error.strerror or error
    raise HubError(f"cannot keep {asked} in {shelf.folder}: {told}; set ZOO_CACHE to another folder")


def _pull_commit(
    reference: HubReference, commit: str, pin: Pin | None, client: HubClient, cache: RepoCache
) -> PullResult:
    source = _ensure_cached(reference, commit, client, cache)
    pulled = PullResult(folder=cache.commit_path(commit), reference=reference, commit=commit, source=source)
    if pin:
        _check_pin(pin, pulled)
    elif not reference.commit:
        cache.remember_commit(reference, commit)
    return pulled


def _resolve_commit(reference: HubReference, client: HubClient, cache: RepoCache, *, update: bool) -> str:
    """Return the commit to use: the one the Hub names, or if it cannot be asked the one it named last."""
    if reference.commit:
        return reference.commit
    known = None if update else cache.get_remembered_commit(reference)
    if known and is_offline():
        return known
    if is_offline() and not update:
        raise _offline_error(reference)
    try:
        return resolve_commit(client, reference)
    except HubUnreachableError as error:
        if known is None or not cache.is_complete(known):
            raise
        told = f"{error}; using {reference} as it was when last pulled, commit {known}"
    warnings.warn(told, UserWarning, stacklevel=3)
    return known


def _offline_error(reference: HubReference, damage: str = "") -> HubUnreachableError:
    found = damage or f"{reference} is not in the cache"
    return HubUnreachableError(
        f"{found}, and zoo is offline; unset HF_HUB_OFFLINE, or run online: zoo pull {reference}"
    )


def _ensure_cached(reference: HubReference, commit: str, client: HubClient, cache: RepoCache) -> PullSource:
    """Make sure that a whole commit lies on the shelf; say where it came from."""
    damage = ""
    try:
        if cache.read_commit(commit):
            return "cache"
    except WeightsError as error:
        damage = str(error)
    if is_offline():
        raise _offline_error(reference, damage)
    if damage:
        warnings.warn(f"{damage}; fetching it again", UserWarning, stacklevel=4)
    cache.folder.mkdir(parents=True, exist_ok=True)
    with acquire_lock(
        cache.folder / f"{commit}.pull", timeout=LOCK_TIMEOUT
    ):  # one process downloads, the others find it here
        if cache.is_complete(commit):
            return "cache"
        _download(reference, commit, client, cache.commit_path(commit))
    return "hub"


def _download(reference: HubReference, commit: str, client: HubClient, target: Path) -> None:
    remote = list_files(client, reference, commit, FILES)
    _check_listing(reference, remote)
    with replace_folder(target, timeout=LOCK_TIMEOUT) as staged:
        damaged = _download_files(reference, commit, client, staged, remote, remote)
        damaged = damaged and _download_files(reference, commit, client, staged, remote, damaged)
        if damaged:
            raise HubUnreachableError(f"{join_names(damaged)} of {reference} arrived damaged, twice; try again later")
        shutil.rmtree(staged / ".cache", ignore_errors=True)  # what the client notes beside its downloads
        _check_staged(reference, staged, remote)


def _check_listing(reference: HubReference, remote: Mapping[str, RemoteFile]) -> None:
    """Refuse what is no saved model, or has files larger than zoo would read, before anything is downloaded."""
    missing = [name for name in REQUIRED_FILES if name not in remote]
    if missing:
        raise HubNotFoundError(f"{reference} holds no model that zoo saved: it has no {join_names(missing)}")
    for name, limit in MAX_FILE_BYTES.items():
        if name in remote and remote[name].size > limit:
            raise HubUntrustedError(f"{name} of {reference} is {remote[name].size} bytes; zoo reads at most {limit}")


def _download_files(
    reference: HubReference,
    commit: str,
    client: HubClient,
    staged: Path,
    remote: Mapping[str, RemoteFile],
    names: Iterable[str],
) -> list[str]:
    """Download files by name, and return those that arrived damaged."""
    wanted = list(names)
    for name in wanted:
        client.download(reference, name, commit=commit, size=remote[name].size, folder=staged)
    return [name for name in wanted if not remote[name].is_match((staged / name).read_bytes())]


def _check_staged(reference: HubReference, staged: Path, remote: Mapping[str, RemoteFile]) -> None:
    strange = {path.name for path in staged.iterdir()} - set(remote)
    if strange:
        raise HubUntrustedError(f"the download of {reference} left {join_names(strange)} behind; not used")
    try:
        read_model_files(staged)
    except WeightsError as error:
        failure = WeightsError(str(error).replace(str(staged), str(reference)))
    else:
        return
    raise failure


def _check_pin(pin: Pin, pulled: PullResult) -> None:
    found, asked = Pin.from_pull(pulled), pulled.reference
    for name, expected, has in (
        (WEIGHTS, pin.sha256, found.sha256),
        (CONFIG, pin.config_sha256, found.config_sha256),
    ):
        if expected != has:
            raise HubUntrustedError(
                f"{lockfile.get_path()} pins {asked} at commit {pin.commit} with sha256 {expected} of {name}, "
                f"and what is there has {has}; if you trust it, run: zoo pull --update {asked}"
            )
