"""Pull a model that zoo saved: one commit, only the files zoo knows, every one checked."""

from __future__ import annotations

import warnings
from pathlib import Path

from zoo.errors import HubUnreachableError, HubUntrustedError, WeightsError
from zoo.hub import lockfile
from zoo.hub.cache import PullResult, PullSource, RepoCache
from zoo.hub.client import HubClient, is_offline
from zoo.hub.download import Snapshot, check_listing, download
from zoo.hub.lockfile import Pin
from zoo.hub.repository import resolve_commit
from zoo.saving.folder import CONFIG, FILES, HISTORY, WEIGHTS, read_model_files
from zoo.saving.reference import HubReference


def pull(reference: str | HubReference, *, update: bool = False) -> PullResult:
    """Download a model unless the cache has it, and return its folder.

    The commit is the one pinned in `zoo.lock`; else the one the Hub names now; if the Hub cannot be reached, the one
    it named last. With `update` it is the one the Hub names now, or an error.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: The model cannot be downloaded, or differs from its pin.
        WeightsError: The repository does not hold a whole saved model.
    """
    if isinstance(reference, str):
        reference = HubReference.parse(reference)
    pin = None if update else lockfile.read_pins(lockfile.get_path()).get(str(reference))
    client = HubClient.from_environment()
    cache = RepoCache.for_reference(reference, client, check=read_model_files)
    with cache.translate_os_errors(reference):
        commit = pin.commit if pin else _resolve_commit(reference, client, cache, update=update)
        return _pull_commit(Snapshot(client=client, reference=reference, commit=commit), pin, cache)


def _pull_commit(snapshot: Snapshot, pin: Pin | None, cache: RepoCache) -> PullResult:
    source = _ensure_cached(snapshot, cache)
    reference, commit = snapshot.reference, snapshot.commit
    pulled = PullResult(folder=cache.commit_path(commit), reference=reference, commit=commit, source=source)
    if pin:
        _check_pin(pin, pulled)
    elif not reference.commit:
        cache.remember_commit(reference, commit)
    return pulled


def _resolve_commit(reference: HubReference, client: HubClient, cache: RepoCache, *, update: bool) -> str:
    """Return the commit the Hub names, or if the Hub cannot be reached, the one it named last."""
    if reference.commit:
        return reference.commit
    last_commit = None if update else cache.get_remembered_commit(reference)
    if last_commit and is_offline():
        return last_commit
    if is_offline() and not update:
        raise _offline_error(reference)
    try:
        return resolve_commit(client, reference)
    except HubUnreachableError as error:
        if last_commit is None or not cache.is_complete(last_commit):
            raise
        message = f"{error}; using {reference} as it was when last pulled, commit {last_commit}"
    warnings.warn(message, UserWarning, stacklevel=3)
    return last_commit


def _offline_error(reference: HubReference, damage: str = "") -> HubUnreachableError:
    reason = damage or f"{reference} is not in the cache"
    return HubUnreachableError(
        f"{reason}, and zoo is offline; unset HF_HUB_OFFLINE, or run online: zoo pull {reference}"
    )


def _ensure_cached(snapshot: Snapshot, cache: RepoCache) -> PullSource:
    """Download a commit unless the cache has it whole, and return where it came from."""
    damage = ""
    try:
        if cache.has_commit(snapshot.commit):
            return "cache"
    except WeightsError as error:
        damage = str(error)
    if is_offline():
        raise _offline_error(snapshot.reference, damage)
    if damage:
        warnings.warn(f"{damage}; fetching it again", UserWarning, stacklevel=4)
    return cache.add(snapshot.commit, lambda target: _download(snapshot, target))


def _download(snapshot: Snapshot, target: Path) -> None:
    files = snapshot.list_files(FILES)
    check_listing(
        snapshot,
        files,
        required=(CONFIG, WEIGHTS, HISTORY),
        problem=lambda missing: f"{snapshot.reference} holds no model that zoo saved: it has no {missing}",
    )
    download(snapshot, files, target, check=lambda staged: _check_model(snapshot.reference, staged))


def _check_model(reference: HubReference, staged: Path) -> None:
    """Check the downloaded model; an error names the reference, not the staged folder."""
    try:
        read_model_files(staged)
    except WeightsError as error:
        failure = WeightsError(str(error).replace(str(staged), str(reference)))
    else:
        return
    raise failure


def _check_pin(pin: Pin, pulled: PullResult) -> None:
    actual_pin, reference = Pin.from_pull(pulled), pulled.reference
    for name, expected, actual in (
        (WEIGHTS, pin.sha256, actual_pin.sha256),
        (CONFIG, pin.config_sha256, actual_pin.config_sha256),
    ):
        if expected != actual:
            raise HubUntrustedError(
                f"{lockfile.get_path()} pins {reference} at commit {pin.commit} with sha256 {expected} of {name}, "
                f"and what is there has {actual}; if you trust it, run: zoo pull --update {reference}"
            )
