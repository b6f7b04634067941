"""A place on this machine: its path, and a look at what stands there that no writer can split. No torch here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from zoo.errors import WeightsError
from zoo.files.atomic import recovered

TRIES = 50
"""How often a place is read again when it was replaced meanwhile."""

T = TypeVar("T")


def expanded(place: Path) -> Path:
    """Return a path to read, with `~` filled in.

    Raises:
        WeightsError: It cannot be a path here: a name is too long, or `~` is nobody's.
    """
    try:
        path = place.expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(place)[:200]!r} is no place to read from: {_why(error)}") from error
    return path


def resolved(place: Path) -> Path:
    """Return where a path to write leads, with `~` filled in and links followed.

    Raises:
        WeightsError: It leads nowhere: a loop of links, a working directory that is gone, a name with a zero byte.
    """
    try:
        path = place.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(place)[:200]!r} is no place to save to: {_why(error)}") from error
    if not path.name:
        raise WeightsError(f"{path} is there and is no saved model; save to another place")
    return path


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def seen_whole(place: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` finds at a place as it is before or after a writer replaces it, never mixed.

    What was read, or failed to be, while it was replaced is read again.

    Raises:
        WeightsError: `read` raised it, and nobody replaced anything meanwhile.
    """
    for _ in range(TRIES):
        there = _recovered(place)
        with _held(there):
            before = _identity(there)
            try:
                found = read(there)
            except WeightsError:
                if _identity(there) == before:
                    raise
            else:
                if _identity(there) == before:
                    return found
        time.sleep(0.002)
    raise WeightsError(f"{place} was replaced {TRIES} times while it was read; try again")


def _recovered(place: Path) -> Path:
    """Return a place after mending what a killed writer left of it, or of the folder around it."""
    recovered(place.parent)
    return recovered(place)


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Keep the inode's number from being given to another one meanwhile, where the system lets us."""
    handle = None
    with suppress(OSError, ValueError):
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) if place.is_dir() else None
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _identity(place: Path) -> tuple[int, ...]:
    try:
        facts = os.stat(place)
    except (OSError, ValueError):
        return ()
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns, facts.st_mtime_ns
