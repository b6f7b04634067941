"""Functions, files and the list of zoo's rooms stay small enough to read."""

import ast

import pytest

from tests.house.sources import FILES, ROOT, TREES, iter_functions

MAX_LINES = 45
"""Lines of a function, from `def` to its end, the docstring included."""
MEDIUM_LINES = 25
MAX_FILE_LINES = 300
LONG_FILES = {
    "zoo/model.py": "the public class: most of its lines are docstrings",
}
MAX_ENTRIES = 34
"""What `ls zoo` lists in a fresh clone."""
MAX_MODEL_IMPORTS = 15
MAX_TASK_FILES = 5
TASKS = {"classification", "generation"}


def list_lengths():
    return [
        (node.end_lineno - node.lineno + 1, f"{path}: {name}")
        for path, tree in TREES.items()
        for name, node in iter_functions(tree)
    ]


def test_no_function_is_longer_than_a_screen():
    assert [(length, name) for length, name in list_lengths() if length > MAX_LINES] == []


def test_nine_of_ten_functions_are_short():
    lengths = sorted(length for length, _ in list_lengths())
    print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]}, largest {lengths[-1]} lines")
    assert lengths[int(0.9 * len(lengths))] <= MEDIUM_LINES


def test_no_file_is_longer_than_three_hundred_lines():
    counts = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in FILES}
    long_files = {name for name, count in counts.items() if name.startswith("zoo/") and count > MAX_FILE_LINES}
    assert long_files == set(LONG_FILES)


def test_the_list_of_rooms_fits_on_a_screen():
    entries = [path.name for path in (ROOT / "zoo").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MAX_ENTRIES, sorted(entries)


def test_the_model_imports_few_modules():
    modules = {
        node.module
        for node in ast.walk(TREES["zoo/model.py"])
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("zoo")
    }
    assert len(modules) <= MAX_MODEL_IMPORTS, sorted(modules)


def iter_branch_values(tree):
    """Yield the constants that a file compares, matches or looks up in a dict."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (each for each in ast.walk(node) if isinstance(each, ast.Constant))
        elif isinstance(node, ast.MatchValue):
            yield node.value
        elif isinstance(node, ast.Dict):
            yield from (each for each in node.keys if isinstance(each, ast.Constant))


def has_task_branch(tree):
    return any(isinstance(each, ast.Constant) and each.value in TASKS for each in iter_branch_values(tree))


def test_few_files_branch_on_the_name_of_a_task():
    files = [path for path, tree in TREES.items() if path.startswith("zoo/") and has_task_branch(tree)]
    assert len(files) <= MAX_TASK_FILES, files


@pytest.mark.parametrize(
    "line",
    ['task == "generation"', 'task in ("generation",)', '{"classification": 1}', 'match t:\n  case "generation": 0'],
)
def test_a_branch_on_the_name_of_a_task_is_recognised(line):
    assert has_task_branch(ast.parse(line))
