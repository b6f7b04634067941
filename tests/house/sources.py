"""The source files that the tests of the house read, parsed once."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FILES = sorted(path for folder in ("zoo", "plugins") for path in (ROOT / folder).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in FILES}


def iter_functions(tree, prefix=""):
    """Yield (qualified name, node) of every function and method, nested ones included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            name = f"{prefix}{node.name}"
            if isinstance(node, FUNCTIONS):
                yield name, node
            yield from iter_functions(node, f"{name}.")
        else:
            yield from iter_functions(node, prefix)


def list_texts(*patterns):
    """Return the files in git that match patterns, as (path, text)."""
    words = ["git", "ls-files", "--", *patterns]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(name, (ROOT / name).read_text("utf-8")) for name in names if (ROOT / name).is_file()]
