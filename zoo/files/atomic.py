"""Put a folder or file in its place whole or not at all, one writer at a time. The one door to filelock.

What a killed writer left behind is cleaned away by the next one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import BusyError

WAIT = 5.0
"""How long a writer waits for another one, in seconds."""
EXCHANGE, HERE = 2, -100
"""Linux: `RENAME_EXCHANGE` and `AT_FDCWD` of renameat2(2)."""


@contextmanager
def locked(target: Path, *, wait: float = WAIT) -> Iterator[None]:
    """Be the only one that writes `target` until the block ends.

    Raises:
        BusyError: Another process still writes it after `wait` seconds.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path, timeout=wait, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(f"another process is writing {target}, and still did after {wait:g} s; try again") from None
    try:
        _restore(target)
        _clean(target)
        yield
    finally:
        with suppress(OSError):  # while it is held: who waits sees that the file is gone, and makes another
            path.unlink()
        lock.release()


@contextmanager
def replacing(target: Path, *, wait: float = WAIT) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well it stands at `target` in one step, else nothing has changed.

    Raises:
        BusyError: Another process still writes `target` after `wait` seconds.
        OSError: The folder cannot be made or put in place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target, wait=wait):
        staged = _beside(target, "partial")
        try:
            _check_free(target)
            staged.mkdir()
            yield staged
            _synced(staged)
            _put(staged, target)
            _synced(target.parent)
        finally:
            _remove(staged)


def write(path: Path, data: bytes, *, is_lasting: bool = True) -> None:
    """Write one file's bytes, if they are to last a power cut through to the disk; it must not exist yet."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        if is_lasting:
            os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, is_lasting: bool = True) -> None:
    """Write a file in one step: who reads it meanwhile, or after a kill, sees the old bytes or the new ones.

    Args:
        path: Where.
        data: The new bytes.
        is_lasting: Whether a power cut must not take them; waiting for the disk takes milliseconds.
    """
    staged = _beside(path, "partial")
    try:
        write(staged, data, is_lasting=is_lasting)
        staged.replace(path)
        if is_lasting:
            _synced(path.parent)
    finally:
        staged.unlink(missing_ok=True)


def recovered(target: Path) -> Path:
    """Return `target`; if a writer was killed just between moving the old one away and the new one in, put it back."""
    old = _old(target) if not target.exists() else []
    if old:
        try:
            with locked(target):
                pass
        except OSError:  # not ours to mend: the old one is read where it lies
            return old[-1]
    return target


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{what}")


def _old(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f".{_literal(target.name)}.{'[0-9a-f]' * 8}.old"))


def _restore(target: Path) -> None:
    old = _old(target)
    if old and not target.exists():
        old[-1].rename(target)


def _clean(target: Path) -> None:
    """Remove what killed writers left; whoever holds the lock is the only writer, so nobody needs it."""
    for what in ("partial", "old"):
        for orphan in target.parent.glob(f".{_literal(target.name)}.{'[0-9a-f]' * 8}.{what}"):
            if orphan.is_dir() and not orphan.is_symlink():
                _remove(orphan)
            else:
                orphan.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a folder with all in it, also where a folder inside may not be written."""
    for place, _, _ in os.walk(folder):
        with suppress(OSError):
            os.chmod(place, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _check_free(target: Path) -> None:
    """Raise if what stands there may not be written: it could not be removed."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _put(staged: Path, target: Path) -> None:
    """Move a folder to `target`; what stood there is exchanged with it, and removed; its rights stay."""
    if not target.exists():
        staged.rename(target)
        return
    with suppress(OSError):
        shutil.copymode(target, staged)
    if not _exchanged(staged, target):
        old = _beside(target, "old")
        target.rename(old)  # a reader that comes now, or after a kill, finds it again: see `recovered`
        staged.rename(target)
        _remove(old)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if swap(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _synced(folder: Path) -> None:
    """Make a folder's names last through a power cut, where the system lets us."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
