"""From a Hub to a folder: one commit, only the files zoo knows, every one checked."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo.errors import HubError, HubNotFoundError, HubUnreachableError, HubUntrustedError, WeightsError, listed
from zoo.files.atomic import locked, replacing
from zoo.hub import lockfile
from zoo.hub.cache import Pulled, Shelf, Source
from zoo.hub.client import Client, is_offline
from zoo.hub.lockfile import Pin
from zoo.hub.plan import LIMITS
from zoo.hub.repository import Remote, commit_of, files_of
from zoo.saving.folder import CONFIG, FILES, HISTORY, WEIGHTS, contents
from zoo.saving.hub_reference import Reference

NEEDED = (CONFIG, WEIGHTS, HISTORY)
WAIT = 600.0
"""Seconds to wait for another process that downloads the same commit."""


def pull(reference: str | Reference, *, update: bool = False) -> Pulled:
    """Bring a model here, if it is not here yet, and return its folder.

    A reference that `zoo.lock` pins is what the pin says. Otherwise it is what the Hub says now; if the Hub cannot be
    asked, what it said last. With `update` it is what the Hub says now, or an error.

    Raises:
        UnknownNameError: The reference is not of the form `hf:owner/name@revision`.
        HubError: It cannot be had, or is not what was pinned.
        WeightsError: What lies there is no whole saved model.
    """
    asked = Reference.parse(reference) if isinstance(reference, str) else reference
    pin = None if update else lockfile.read(lockfile.place()).get(str(asked))
    client = Client.here()
    shelf = Shelf.of(asked, client)
    try:
        commit = pin.commit if pin else _commit(asked, client, shelf, update=update)
        return _pulled(asked, commit, pin, client, shelf)
    except OSError as error:
        told = error.strerror or error
    raise HubError(f"cannot keep {asked} in {shelf.folder}: {told}; set ZOO_CACHE to another folder")


def _pulled(asked: Reference, commit: str, pin: Pin | None, client: Client, shelf: Shelf) -> Pulled:
    source = _fetched(asked, commit, client, shelf)
    pulled = Pulled(folder=shelf.place(commit), reference=asked, commit=commit, source=source)
    if pin:
        _check_pin(pin, pulled)
    elif not asked.commit:
        shelf.remember(asked, commit)
    return pulled


def _commit(asked: Reference, client: Client, shelf: Shelf, *, update: bool) -> str:
    """Return the commit to use: the one the Hub names, or if it cannot be asked the one it named last."""
    if asked.commit:
        return asked.commit
    known = None if update else shelf.remembered(asked)
    if known and is_offline():
        return known
    if is_offline() and not update:
        raise _not_here(asked)
    try:
        return commit_of(client, asked)
    except HubUnreachableError as error:
        if known is None or not shelf.is_whole(known):
            raise
        told = f"{error}; using {asked} as it was when last pulled, commit {known}"
    warnings.warn(told, UserWarning, stacklevel=3)
    return known


def _not_here(asked: Reference, damage: str = "") -> HubUnreachableError:
    found = damage or f"{asked} is not in the cache"
    return HubUnreachableError(f"{found}, and zoo is offline; unset HF_HUB_OFFLINE, or run online: zoo pull {asked}")


def _fetched(asked: Reference, commit: str, client: Client, shelf: Shelf) -> Source:
    """Make sure that a whole commit lies on the shelf; say where it came from."""
    damage = ""
    try:
        if shelf.kept(commit):
            return "cache"
    except WeightsError as error:
        damage = str(error)
    if is_offline():
        raise _not_here(asked, damage)
    if damage:
        warnings.warn(f"{damage}; fetching it again", UserWarning, stacklevel=4)
    shelf.folder.mkdir(parents=True, exist_ok=True)
    with locked(shelf.folder / f"{commit}.pull", wait=WAIT):  # one process downloads, the others find it here
        if shelf.is_whole(commit):
            return "cache"
        _download(asked, commit, client, shelf.place(commit))
    return "hub"


def _download(asked: Reference, commit: str, client: Client, target: Path) -> None:
    remote = files_of(client, asked, commit, FILES)
    _check_listed(asked, remote)
    with replacing(target, wait=WAIT) as staged:
        damaged = _arrived(asked, commit, client, staged, remote, remote)
        damaged = damaged and _arrived(asked, commit, client, staged, remote, damaged)
        if damaged:
            raise HubUnreachableError(f"{listed(damaged)} of {asked} arrived damaged, twice; try again later")
        shutil.rmtree(staged / ".cache", ignore_errors=True)  # what the client notes beside its downloads
        _check_staged(asked, staged, remote)


def _check_listed(asked: Reference, remote: Mapping[str, Remote]) -> None:
    """Refuse what is no saved model, or has files larger than zoo would read, before anything is downloaded."""
    missing = [name for name in NEEDED if name not in remote]
    if missing:
        raise HubNotFoundError(f"{asked} holds no model that zoo saved: it has no {listed(missing)}")
    for name, limit in LIMITS.items():
        if name in remote and remote[name].size > limit:
            raise HubUntrustedError(f"{name} of {asked} is {remote[name].size} bytes; zoo reads at most {limit}")


def _arrived(
    asked: Reference, commit: str, client: Client, staged: Path, remote: Mapping[str, Remote], names: Iterable[str]
) -> list[str]:
    """Download files by name, and return those that arrived damaged."""
    wanted = list(names)
    for name in wanted:
        client.download(asked, name, commit=commit, size=remote[name].size, folder=staged)
    return [name for name in wanted if not remote[name].is_of((staged / name).read_bytes())]


def _check_staged(asked: Reference, staged: Path, remote: Mapping[str, Remote]) -> None:
    strange = {path.name for path in staged.iterdir()} - set(remote)
    if strange:
        raise HubUntrustedError(f"the download of {asked} left {listed(strange)} behind; not used")
    try:
        contents(staged)
    except WeightsError as error:
        failure = WeightsError(str(error).replace(str(staged), str(asked)))
    else:
        return
    raise failure


def _check_pin(pin: Pin, pulled: Pulled) -> None:
    found, asked = Pin.of(pulled), pulled.reference
    for name, expected, has in (
        (WEIGHTS, pin.sha256, found.sha256),
        (CONFIG, pin.config_sha256, found.config_sha256),
    ):
        if expected != has:
            raise HubUntrustedError(
                f"{lockfile.place()} pins {asked} at commit {pin.commit} with sha256 {expected} of {name}, "
                f"and what is there has {has}; if you trust it, run: zoo pull --update {asked}"
            )
