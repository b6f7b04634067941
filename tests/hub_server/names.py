"""Which names are allowed: of repositories, of files in them, of tags and branches."""

import re

from .commit import Tree, folders
from .refusal import bad_request

LARGE = tuple("7z arrow bin ckpt gz h5 npy npz onnx parquet pkl pt pth safetensors zip".split())  # noqa: SIM905
WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")
LABEL = re.compile(r"(?!.*(?:\.\.|//|/$|\.lock$))[A-Za-z0-9_][A-Za-z0-9_./+-]*")


def is_large(path: str) -> bool:
    """Say whether a file is LFS for its name, whatever its size."""
    return path.rpartition(".")[2] in LARGE


def check_repo(id: str) -> None:
    """Refuse a name that no repository may have."""
    words = id.split("/")
    if len(words) != 2 or not all(map(WORD.fullmatch, words)) or "--" in id or ".." in id:
        raise bad_request(f"not a name for a repository: {id!r}")


def check_label(name: str) -> None:
    """Refuse a name that no tag and no branch may have."""
    if not LABEL.fullmatch(name):
        raise bad_request(f"not a name for a tag or a branch: {name!r}")


def check_path(path: str) -> None:
    """Refuse a path that would leave the folder it is downloaded to, or hurt there."""
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise bad_request(f"not a path for a file of a repository: {path!r}")
    if not path.isprintable():
        raise bad_request(f"a path may hold printable characters only: {path!r}")


def check_tree(tree: Tree) -> None:
    """Refuse a tree in which one name is a file and a folder."""
    clash = folders(tree) & tree.keys()
    if clash:
        raise bad_request(f"a file and a folder of one name: {', '.join(sorted(clash))}")
