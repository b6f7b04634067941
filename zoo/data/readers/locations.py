"""Where data sets lie on a machine, and where downloads go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from zoo.errors import SourceError

SHARED_FOLDERS = (Path("data"), Path("../shared/data"), Path("/usr/share/datasets"))
"""Looked into after `$ZOO_DATA` or the download folder: beside the project, and where Debian puts data sets."""


def get_download_folder() -> Path:
    """Return where downloads go: `$ZOO_DATA`, or else `zoo` in the user's cache folder."""
    chosen = os.environ.get("ZOO_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen).expanduser() if chosen else cache / "zoo" / "data"


def iter_search_folders() -> Iterator[Path]:
    """Yield the folders in which a data set's own folder is looked for, in order."""
    yield get_download_folder()
    yield from SHARED_FOLDERS


def find_folder(names: Sequence[str], accepts: Callable[[Path], bool] = Path.is_dir) -> Path | None:
    """Return the first folder called by one of `names` in one of the `places` that holds what is wanted."""
    return next((place / name for place in iter_search_folders() for name in names if accepts(place / name)), None)


def require_folder(dataset_name: str, names: Sequence[str], *, downloadable: bool) -> Path:
    """Return `found(names)`.

    Raises:
        SourceError: It is in none of the places; the message names them and says how to get it.
    """
    folder = find_folder(names)
    if folder is None:
        looked = ", ".join(str(place) for place in iter_search_folders())
        fetch = f"zoo.dataset({dataset_name!r}, download=True) fetches it, or " if downloadable else ""
        raise SourceError(
            f"{dataset_name} is not on this machine: no folder {' or '.join(names)} in {looked}. "
            f"{fetch}set ZOO_DATA to the folder that holds it"
        )
    return folder
