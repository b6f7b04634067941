"""What Xet's client has stored: it says so in shards, which list files by Xet's hash and by sha256.

A shard is a header and then a run of 48-byte rows: for each file a row of its hash, flags and count, a row for each
of its segments, perhaps as many rows of verification, perhaps one of its sha256. A hash of ones ends the run.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROW = struct.Struct("<4Q4I")  # a hash and four counters
VERIFIED, NAMED = 1 << 31, 1 << 30  # flags of a file's first row
END = (1 << 64) - 1


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file that Xet keeps."""

    sha256: str
    xet: str
    size: int


def stored(folder: Path) -> dict[str, Stored]:
    """Return the files that all shards below a folder list, by sha256."""
    shards = (path.read_bytes() for path in sorted(folder.glob("**/shards/*.mdb")))
    return {file.sha256: file for shard in shards for file in listed(shard)}


def listed(shard: bytes) -> Iterator[Stored]:
    rows = ROW.iter_unpack(shard[ROW.size : len(shard) - len(shard) % ROW.size])
    for *name, flags, count, _, _ in rows:
        if name[0] == END:
            return
        size = sum(next(rows)[5] for _ in range(count))
        for _ in range(count if flags & VERIFIED else 0):
            next(rows)
        if flags & NAMED:
            yield Stored(sha256=spelled(next(rows)[:4]), xet=spelled(name), size=size)


def spelled(words: "list[int] | tuple[int, ...]") -> str:
    """Return a hash as the protocol writes it."""
    return "".join(f"{word:016x}" for word in words)
