"""Find the folders of data sets on this machine, and the folder for downloads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from zoo.errors import SourceError

SHARED_FOLDERS = (Path("data"), Path("../shared/data"), Path("/usr/share/datasets"))
"""Folders searched after `$ZOO_DATA` or the download folder: beside the project, and where Debian puts data sets."""


def get_download_folder() -> Path:
    """Return the folder for downloads: `$ZOO_DATA`, else `zoo/data` in the user's cache folder."""
    configured = os.environ.get("ZOO_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(configured).expanduser() if configured else cache / "zoo" / "data"


def iter_search_folders() -> Iterator[Path]:
    """Yield the folders that are searched for a data set's own folder, in order."""
    yield get_download_folder()
    yield from SHARED_FOLDERS


def find_folder(names: Sequence[str], accepts: Callable[[Path], bool] = Path.is_dir) -> Path | None:
    """Return the first folder with one of `names` in a search folder that `accepts` returns True for, else None."""
    return next((root / name for root in iter_search_folders() for name in names if accepts(root / name)), None)


def require_folder(dataset_name: str, names: Sequence[str], *, downloadable: bool) -> Path:
    """Return the folder that `find_folder` finds.

    Raises:
        SourceError: It is in none of the search folders; the message names them and says how to get it.
    """
    folder = find_folder(names)
    if folder is None:
        searched = ", ".join(str(root) for root in iter_search_folders())
        hint = f"download it with zoo.dataset({dataset_name!r}, download=True), or " if downloadable else ""
        raise SourceError(
            f"{dataset_name} is not on this machine: no folder {' or '.join(names)} in {searched}. "
            f"{hint}set ZOO_DATA to the folder that holds it"
        )
    return folder
