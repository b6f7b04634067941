"""Bytes by the hash of what they should be: regular files by git's blob hash, LFS files by sha256."""

import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from .refusal import bad_request

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"


def git_hash(data: bytes) -> str:
    """Return the name git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """Return what git keeps in place of an LFS file."""
    return POINTER.format(sha256=sha256, size=size).encode()


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    part = path.with_name(f".{path.name}.{threading.get_ident()}")
    part.write_bytes(data)
    os.replace(part, path)


class Objects:
    """A folder of bytes, each file named by a hash; every upload is checked against its name."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.parts: dict[tuple[str, int], bytes] = {}  # multipart uploads under way: (sha256, number) -> bytes
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, key: str) -> bool:
        return (self.folder / key).is_file()

    def read(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    def size(self, key: str) -> int:
        return (self.folder / key).stat().st_size

    def replace(self, key: str, data: bytes) -> None:
        """Put these bytes under this name, right or wrong: what a failing disk or a liar would do."""
        write_whole(self.folder / key, data)

    def add_regular(self, data: bytes) -> str:
        key = git_hash(data)
        self.replace(key, data)
        return key

    def add_large(self, data: bytes, *, sha256: str, size: int | None = None) -> None:
        """Keep an upload whose bytes are what its name and size say, refuse another."""
        if size is not None and len(data) != size:
            raise bad_request(f"{len(data)} bytes arrived for {sha256}, which has {size}")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise bad_request(f"the bytes that arrived are not those of sha256 {sha256}")
        self.replace(sha256, data)

    def add_part(self, data: bytes, *, sha256: str, number: int) -> str:
        """Keep a part of an upload and return its ETag."""
        self.parts[sha256, number] = data
        return etag(data)

    def join(self, sha256: str, *, etags: Mapping[int, str]) -> None:
        """Make one object of the parts of a multipart upload, each known by its number and ETag."""
        parts = [self.parts.get((sha256, number), b"") for number in range(1, len(etags) + 1)]
        wrong = [number for number, part in enumerate(parts, 1) if etags.get(number) != etag(part)]
        if wrong:
            raise bad_request(f"parts {wrong} of {sha256} are not what arrived")
        self.add_large(b"".join(parts), sha256=sha256)
        self.parts = {place: part for place, part in self.parts.items() if place[0] != sha256}
