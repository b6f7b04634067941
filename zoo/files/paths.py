"""Resolve paths, and read files and folders consistently while another process replaces them. No torch here."""

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
"""How often a path is read if it is replaced during each read."""

T = TypeVar("T")


def expand_path(path: Path) -> Path:
    """Return a path to read, with `~` expanded.

    Raises:
        WeightsError: It cannot be a path on this machine: a name is too long, or `~` names no user.
    """
    try:
        expanded = path.expanduser()
        expanded.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(path)[:200]!r} is not a path to read from: {_describe_error(error)}") from error
    return expanded


def resolve_path(path: Path) -> Path:
    """Return an absolute path to write, with `~` expanded and links followed.

    Raises:
        WeightsError: It cannot be resolved: links form a loop, the working directory is gone, a name has a zero byte.
    """
    try:
        resolved = path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{str(path)[:200]!r} is not a path to save to: {_describe_error(error)}") from error
    if not resolved.name:
        raise WeightsError(f"{resolved} exists and is not a saved model; save to another path")
    return resolved


def _describe_error(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def read_consistently(path: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` returns for a path as it is before or after a writer replaces it, never a mixture.

    If the path was replaced during the read, it is read again, whether the read succeeded or not.

    Args:
        path: The file or folder.
        read: Reads it; called with the path to read from.

    Raises:
        WeightsError: `read` raised it while nothing was replaced, or the path was replaced during every read.
    """
    for _ in range(MAX_READ_ATTEMPTS):
        current = _recover_with_parent(path)
        with _pin_inode(current):
            before = _stat_identity(current)
            try:
                result = read(current)
            except WeightsError:
                if _stat_identity(current) == before:
                    raise
            else:
                if _stat_identity(current) == before:
                    return result
        time.sleep(0.002)
    raise WeightsError(f"{path} was replaced {MAX_READ_ATTEMPTS} times while it was read; try again")


def _recover_with_parent(path: Path) -> Path:
    """Undo replacements of a path and of its parent that were cut off, and return the path to read."""
    recover(path.parent)
    return recover(path)


@contextmanager
def _pin_inode(path: Path) -> Iterator[None]:
    """Keep a folder open during the block, so that no new folder gets its inode number; not on every system."""
    handle = None
    with suppress(OSError, ValueError):
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) if path.is_dir() else None
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _stat_identity(path: Path) -> tuple[int, ...]:
    """Return numbers that change when a path is replaced; nothing if it does not exist."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return ()
    return stat.st_dev, stat.st_ino, stat.st_ctime_ns, stat.st_mtime_ns


def open_regular_file(path: Path) -> BinaryIO:
    """Open a regular file to read it; a pipe or device, which could block for ever, is refused.

    Raises:
        WeightsError: It is not a regular file.
    """
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path} is not a file")
    return path.open("rb")


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file.

    Raises:
        WeightsError: It cannot be read, or is larger than `limit` bytes.
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise WeightsError(f"{path} is larger than {limit} bytes, the limit for this kind of file")
    return data
