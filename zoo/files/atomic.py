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

LOCK_TIMEOUT = 5.0
"""How long a writer waits for another one, in seconds."""
RENAME_EXCHANGE, AT_FDCWD = 2, -100
"""Linux: `RENAME_EXCHANGE` and `AT_FDCWD` of renameat2(2)."""


@contextmanager
def acquire_lock(target: Path, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Be the only one that writes `target` until the block ends.

    Raises:
        BusyError: Another process still writes it after `timeout` seconds.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path, timeout=timeout, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(f"another process is writing {target}, and still did after {timeout:g} s; try again") from None
    try:
        _restore(target)
        _clean(target)
        yield
    finally:
        with suppress(OSError):  # while it is held: who waits sees that the file is gone, and makes another
            path.unlink()
        lock.release()


@contextmanager
def replace_folder(target: Path, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well it stands at `target` in one step, else nothing has changed.

    Raises:
        BusyError: Another process still writes `target` after `timeout` seconds.
        OSError: The folder cannot be made or put in place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with acquire_lock(target, timeout=timeout):
        staged = _temporary_path(target, "partial")
        try:
            _check_writable(target)
            staged.mkdir()
            yield staged
            _fsync_folder(staged)
            _install_folder(staged, target)
            _fsync_folder(target.parent)
        finally:
            _remove(staged)


def write_new_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write one file's bytes, if they are to last a power cut through to the disk; it must not exist yet."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file in one step: who reads it meanwhile, or after a kill, sees the old bytes or the new ones.

    Args:
        path: Where.
        data: The new bytes.
        durable: Whether a power cut must not take them; waiting for the disk takes milliseconds.
    """
    staged = _temporary_path(path, "partial")
    try:
        write_new_file(staged, data, durable=durable)
        staged.replace(path)
        if durable:
            _fsync_folder(path.parent)
    finally:
        staged.unlink(missing_ok=True)


def recover(target: Path) -> Path:
    """Return `target`; if a writer was killed just between moving the old one away and the new one in, put it back."""
    old = _find_backups(target) if not target.exists() else []
    if old:
        try:
            with acquire_lock(target):
                pass
        except OSError:  # not ours to mend: the old one is read where it lies
            return old[-1]
    return target


def _temporary_path(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{suffix}")


def _find_backups(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f".{_escape_glob(target.name)}.{'[0-9a-f]' * 8}.old"))


def _restore(target: Path) -> None:
    old = _find_backups(target)
    if old and not target.exists():
        old[-1].rename(target)


def _clean(target: Path) -> None:
    """Remove what killed writers left; whoever holds the lock is the only writer, so nobody needs it."""
    for what in ("partial", "old"):
        for orphan in target.parent.glob(f".{_escape_glob(target.name)}.{'[0-9a-f]' * 8}.{what}"):
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


def _check_writable(target: Path) -> None:
    """Raise if what stands there may not be written: it could not be removed."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _escape_glob(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _install_folder(staged: Path, target: Path) -> None:
    """Move a folder to `target`; what stood there is exchanged with it, and removed; its rights stay."""
    if not target.exists():
        staged.rename(target)
        return
    with suppress(OSError):
        shutil.copymode(target, staged)
    if not _try_exchange(staged, target):
        old = _temporary_path(target, "old")
        target.rename(old)  # a reader that comes now, or after a kill, finds it again: see `recovered`
        staged.rename(target)
        _remove(old)


def _try_exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if swap(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(second))


def _fsync_folder(folder: Path) -> None:
    """Make a folder's names last through a power cut, where the system lets us."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
