"""Replace a folder or file whole or not at all, one writer at a time. Door: filelock.

A writer works on a hidden folder or file beside the target and renames it at the end. The next writer removes what a
killed one left behind.
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
"""How long a writer waits for another, in seconds."""
RENAME_EXCHANGE, AT_FDCWD = 2, -100
"""Constants of Linux's renameat2(2)."""


@contextmanager
def acquire_lock(target: Path, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Hold the lock on `target` during the block, after removing what killed writers left.

    Raises:
        BusyError: Another process still holds it after `timeout` seconds.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path, timeout=timeout, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(f"another process is writing {target}, and still was after {timeout:g} s; try again") from None
    try:
        _restore(target)
        _clean(target)
        yield
    finally:
        with suppress(OSError):  # before the release: a waiting process sees that the file is gone, and makes another
            path.unlink()
        lock.release()


@contextmanager
def replace_folder(target: Path, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Path]:
    """Yield an empty folder that replaces `target` in one step at the end of the block; an error changes nothing.

    Raises:
        BusyError: Another process still writes `target` after `timeout` seconds.
        OSError: The folder cannot be made or renamed.
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
    """Write a file that must not exist yet; if `durable`, wait until its bytes are on disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file in one step: a reader sees the old bytes or the new ones, also if the writer is killed.

    Args:
        path: The file.
        data: The new bytes.
        durable: Wait until the bytes are on disk, which takes milliseconds, so that they survive a power cut.
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
    """Return the path to read `target` from, after undoing a replacement that was cut off.

    A writer may have been killed between moving the old folder away and the new one in. The old one is then moved back,
    or read where it is if this process may not write there.
    """
    backups = _find_backups(target) if not target.exists() else []
    if backups:
        try:
            with acquire_lock(target):
                pass
        except OSError:  # no right to write here: read the backup
            return backups[-1]
    return target


def _temporary_path(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{suffix}")


def _find_backups(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f".{_escape_glob(target.name)}.{'[0-9a-f]' * 8}.old"))


def _restore(target: Path) -> None:
    backups = _find_backups(target)
    if backups and not target.exists():
        backups[-1].rename(target)


def _clean(target: Path) -> None:
    """Remove what killed writers left; the lock is held, so no other writer uses it."""
    for suffix in ("partial", "old"):
        for orphan in target.parent.glob(f".{_escape_glob(target.name)}.{'[0-9a-f]' * 8}.{suffix}"):
            if orphan.is_dir() and not orphan.is_symlink():
                _remove(orphan)
            else:
                orphan.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a folder with its contents, also if a folder inside is read-only."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _check_writable(target: Path) -> None:
    """Raise if `target` exists and may not be written, since it could not be removed."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _escape_glob(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _install_folder(staged: Path, target: Path) -> None:
    """Move a folder to `target`, with the permissions of the old one, which is removed."""
    if not target.exists():
        staged.rename(target)
        return
    with suppress(OSError):
        shutil.copymode(target, staged)
    if not _try_exchange(staged, target):
        backup = _temporary_path(target, "old")
        target.rename(backup)  # a reader that looks now, or after a kill, finds it: see `recover`
        staged.rename(target)
        _remove(backup)


def _try_exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; return False if the system or the file system cannot."""
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
    """Wait until the names in a folder are on disk, if the system supports it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
