"""The face of the house: what `import zoo` shows, and that all of it is explained."""

import ast
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).parents[2]
FACE = ROOT / "zoo" / "__init__.py"
FILES = sorted(path for room in ("zoo", "plugins") for path in (ROOT / room).rglob("*.py"))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def declared():
    """Return the names that the face declares to type checkers."""
    tree = ast.parse(FACE.read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imported = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {*imported, *(ast.unparse(node.target) for node in block.body if isinstance(node, ast.AnnAssign))}


def public(body, prefix=""):
    """Yield (name, node) of the public classes and functions, and of the classes' methods."""
    for node in body:
        if not isinstance(node, DEFINITIONS) or node.name.startswith("_"):
            continue
        if "overload" in map(ast.unparse, node.decorator_list):
            continue
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from public(node.body, f"{node.name}.")


def test_what_the_face_lists_is_what_is_there():
    assert len(set(zoo.__all__)) == len(zoo.__all__)
    assert dir(zoo) == sorted([*zoo.__all__, "__version__"])


def test_type_checkers_see_the_same_face():
    assert declared() == set(zoo.__all__)


@pytest.mark.parametrize("name", zoo.__all__)
def test_every_name_of_the_face_resolves(name):
    assert getattr(zoo, name) is not None


def test_another_name_is_an_attribute_error_with_that_name():
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'modles'"):
        _ = zoo.modles


def test_the_face_fits_on_a_screen():
    assert len(FACE.read_text("utf-8").splitlines()) <= 60


def test_no_name_of_the_face_is_also_a_rooms():
    rooms = {path.stem for path in FACE.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms & set(zoo.__all__) == set()


def test_everything_public_has_a_docstring():
    trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in FILES}
    named = [(f"{path}: {name}", node) for path, tree in trees.items() for name, node in public(tree.body)]
    print(f"{len(named)} public classes, functions and methods in {len(trees)} files")
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []
    assert [name for name, node in named if not ast.get_docstring(node)] == []
