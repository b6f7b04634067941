"""References are told apart by their first characters; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

HUB_PREFIX = "hf:"


def is_path_reference(reference: object) -> bool:
    """Return whether a reference means a folder or file: a `Path`, or a string that begins with `.`, `/` or `~`.

    >>> is_folder("./photos"), is_folder("photos"), is_folder(Path("photos"))
    (True, False, True)
    """
    return isinstance(reference, Path) or (isinstance(reference, str) and reference.startswith((".", "/", "~")))


def is_hub_reference(reference: object) -> bool:
    """Return whether a reference means a repository on a Hub: a string that begins with `hf:`.

    >>> is_hub("hf:owner/name@v1"), is_hub("owner/name")
    (True, False)
    """
    return isinstance(reference, str) and reference.startswith(HUB_PREFIX)
