"""A place on this machine: its path, and a look at what stands there that no writer can split. No torch here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from zoo.errors import WeightsError
from zoo.files.atomic import recover

MAX_READ_ATTEMPTS = 50
"""How often a place is read again when it was replaced meanwhile."""

T = TypeVar("T")


def expand_path(place: Path) -> Path:
    """Return a path to read, with `~` filled in.

    Raises:
        WeightsError: It cannot be a path here: a name is too long, or `~` is nobody's.
    """
    try:
        path = place.expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(place)[:200]!r} is no place to read from: {_describe_error(error)}") from error
    return path


def resolve_path(place: Path) -> Path:
    """Return where a path to write leads, with `~` filled in and links followed.

    Raises:
        WeightsError: It leads nowhere: a loop of links, a working directory that is gone, a name with a zero byte.
    """
    try:
        path = place.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(place)[:200]!r} is no place to save to: {_describe_error(error)}") from error
    if not path.name:
        raise WeightsError(f"{path} is there and is no saved model; save to another place")
    return path


def _describe_error(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def read_consistently(place: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` finds at a place as it is before or after a writer replaces it, never mixed.

    What was read, or failed to be, while it was replaced is read again.

    Raises:
        WeightsError: `read` raised it, and nobody replaced anything meanwhile.
    """
    for _ in range(MAX_READ_ATTEMPTS):
        there = _recover_with_parent(place)
        with _pin_inode(there):
            before = _stat_identity(there)
            try:
                found = read(there)
            except WeightsError:
                if _stat_identity(there) == before:
                    raise
            else:
                if _stat_identity(there) == before:
                    return found
        time.sleep(0.002)
    raise WeightsError(f"{place} was replaced {MAX_READ_ATTEMPTS} times while it was read; try again")


def _recover_with_parent(place: Path) -> Path:
    """Return a place after mending what a killed writer left of it, or of the folder around it."""
    recover(place.parent)
    return recover(place)


@contextmanager
def _pin_inode(place: Path) -> Iterator[None]:
    """Keep the inode's number from being given to another one meanwhile, where the system lets us."""
    handle = None
    with suppress(OSError, ValueError):
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) if place.is_dir() else None
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _stat_identity(place: Path) -> tuple[int, ...]:
    try:
        facts = os.stat(place)
    except (OSError, ValueError):
        return ()
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns, facts.st_mtime_ns


def open_regular_file(path: Path) -> BinaryIO:
    """Open a file to read it; a pipe or device, which could block for ever, is refused."""
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path} is no file")
    return path.open("rb")


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Return a file's bytes.

    Raises:
        WeightsError: It cannot be read, or is larger than `limit`.
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise WeightsError(f"{path} is larger than {limit} bytes, the most zoo reads of such a file")
    return data
