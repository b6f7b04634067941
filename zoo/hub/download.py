"""Download the files of one commit into a folder: whole or not at all, each one compared with the Hub's listing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import HubNotFoundError, HubUnreachableError, HubUntrustedError, join_names
from zoo.files.atomic import replace_folder, write_new_file
from zoo.hub.client import HubClient
from zoo.hub.repository import MAX_FILE_BYTES, RemoteFile, list_files
from zoo.saving.reference import HubReference

LOCK_TIMEOUT = 600.0
"""Seconds to wait for another process that downloads the same commit."""
ATTEMPTS = 2
"""Downloads of a file that arrives damaged, before giving up."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One commit of a repository, and the client to read it with."""

    client: HubClient
    reference: HubReference
    commit: str

    def list_files(self, names: Iterable[str]) -> dict[str, RemoteFile]:
        """Return those of the named files that the commit has.

        Raises:
            HubError: The Hub's answer is missing or invalid.
        """
        return list_files(self.client, self.reference, self.commit, names)

    def download_file(self, name: str, file: RemoteFile, folder: Path) -> None:
        """Download one file into a folder; its bytes are not compared yet.

        Raises:
            HubError: The download failed.
        """
        self.client.download(self.reference, name, commit=self.commit, size=file.size, folder=folder)


def check_listing(
    snapshot: Snapshot, files: Mapping[str, RemoteFile], *, required: Sequence[str], problem: Callable[[str], str]
) -> None:
    """Check the listed files before any is downloaded.

    Args:
        snapshot: The commit.
        files: Its files by name.
        required: Names of files that must be among them.
        problem: Makes the message of an error from the missing names.

    Raises:
        HubNotFoundError: A required file is missing.
        HubUntrustedError: A file is larger than zoo reads.
    """
    missing = [name for name in required if name not in files]
    if missing:
        raise HubNotFoundError(problem(join_names(missing)))
    for name, file in files.items():
        limit = MAX_FILE_BYTES.get(name, file.size)
        if file.size > limit:
            raise HubUntrustedError(f"{name} of {snapshot.reference} is {file.size} bytes; zoo reads at most {limit}")


def download(
    snapshot: Snapshot,
    files: Mapping[str, RemoteFile],
    target: Path,
    *,
    check: Callable[[Path], object],
    reuse: bool = False,
) -> None:
    """Download a commit's files into the folder `target`, whole or not at all.

    Args:
        snapshot: The commit.
        files: The files to download by name, as the Hub lists them.
        target: The folder; an existing one is replaced.
        check: Called with the staged folder before it is installed; it raises if the folder must not be used.
        reuse: Copy a file from the client's own cache if it has the listed hash.

    Raises:
        HubError: A file cannot be downloaded, or arrives damaged twice.
        OSError: The folder cannot be written.
    """
    with replace_folder(target, timeout=LOCK_TIMEOUT) as staged:
        damaged = [name for name, file in files.items() if not _fetch_file(snapshot, name, file, staged, reuse=reuse)]
        if damaged:
            raise HubUnreachableError(
                f"{join_names(damaged)} of {snapshot.reference} arrived damaged, twice; try again later"
            )
        shutil.rmtree(staged / ".cache", ignore_errors=True)  # the client's notes on its downloads
        _check_no_strays(snapshot, staged, files)
        check(staged)


def _fetch_file(snapshot: Snapshot, name: str, file: RemoteFile, staged: Path, *, reuse: bool) -> bool:
    """Write one file to the staged folder; return False if it arrived damaged each time."""
    path = staged / name
    cached = snapshot.client.find_cached(snapshot.reference, name, commit=snapshot.commit) if reuse else None
    if cached is not None and file.is_match(data := cached.read_bytes()):
        write_new_file(path, data)
        return True
    for _ in range(ATTEMPTS):
        snapshot.download_file(name, file, staged)
        if file.is_match(path.read_bytes()):
            _fsync_file(path)
            return True
    return False


def _fsync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _check_no_strays(snapshot: Snapshot, staged: Path, files: Mapping[str, RemoteFile]) -> None:
    strays = {path.name for path in staged.iterdir()} - set(files)
    if strays:
        raise HubUntrustedError(f"the download of {snapshot.reference} left {join_names(strays)} behind; not used")
