"""Functions are not named by participles, boolean parameters have no prefix, and some variable names are too vague."""

import ast
import re

import pytest

from tests.house.sources import TREES, iter_functions

IRREGULAR = {
    *("begun", "bent", "borne", "bought", "bound", "broken", "brought", "built", "caught", "chosen", "dealt", "done"),
    *("drawn", "driven", "fallen", "fed", "felt", "forgotten", "fought", "found", "frozen", "given", "gone", "grown"),
    *(
        "heard",
        "held",
        "hidden",
        "kept",
        "known",
        "laid",
        "led",
        "left",
        "lent",
        "lost",
        "made",
        "meant",
        "met",
        "paid",
    ),
    *("risen", "said", "seen", "sent", "shown", "sold", "sought", "spent", "spoken", "stolen", "stood", "struck"),
    *("swept", "taken", "taught", "thrown", "told", "thought", "torn", "understood", "won", "worn", "woven", "written"),
}
"""Irregular participles, without those that are imperatives too, such as `run`, `split` and `fit`."""
NOT_PARTICIPLES = {"embed", "exceed", "feed", "need", "proceed", "seed", "shed", "speed", "succeed"}
"""Verbs and nouns that end in -ed."""
ALLOWED = {
    "plugins/zoo_attention_gan/scores.py: drawn": "the rows of stored ledgers name it",
    "plugins/zoo_graph_encoders/robustness.py: turned_training": "the rows of stored ledgers name it",
    "zoo/fused/codegen/routines.py: Routines.weighted_mean": "a noun, as `frechet_distance` is",
    "zoo/graph/path_spectrum.py: normalized_path_adjacency": "a noun, the matrix of the paper",
    "zoo/graph/path_spectrum.py: normalized_path_eigh": "a noun, as `torch.linalg.eigh` is",
    "zoo/signature.py: Classes.numbered": "a constructor named by its result, as `torch.zeros` is",
}
CLAIMS = tuple(
    f"zoo/testing/{name}" for name in ("shared_checks.py", "datasets.py", "models/", "encoders/", "plugins/")
)
"""Modules of the kit's checks: their names are claims, which settings of other projects contain."""
VAGUE = {"asked", "found", "given", "made", "told"}
"""Names that do not say what the value is."""


def is_participle(name):
    word = name.lstrip("_").partition("_")[0]
    return word in IRREGULAR or (word not in NOT_PARTICIPLES and re.fullmatch(r"[a-z]+ed", word) is not None)


def is_exempt(path, name):
    return f"{path}: {name}" in ALLOWED or (path.startswith(CLAIMS) and "." not in name)


def list_public_functions():
    functions = [(path, name) for path, tree in TREES.items() for name, _ in iter_functions(tree)]
    return [(path, name) for path, name in functions if not any(each.startswith("_") for each in name.split("."))]


def list_parameters(node):
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def is_boolean(annotation):
    return annotation is not None and re.search(r"\bbool\b", ast.unparse(annotation)) is not None


def iter_bindings(tree):
    """Yield each name that a file assigns or takes as a parameter."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def test_no_public_function_is_named_by_a_participle():
    functions = list_public_functions()
    print(f"{len(functions)} public functions and methods")
    assert [
        f"{path}: {name}"
        for path, name in functions
        if is_participle(name.rpartition(".")[2]) and not is_exempt(path, name)
    ] == []


def test_every_exception_is_needed():
    functions = {f"{path}: {name}" for path, name in list_public_functions()}
    assert set(ALLOWED) <= functions


def test_boolean_parameters_have_no_prefix():
    assert [
        f"{path}: {name}({each.arg})"
        for path, tree in TREES.items()
        for name, node in iter_functions(tree)
        for each in list_parameters(node)
        if is_boolean(each.annotation) and re.match(r"(is|has|are)_", each.arg)
    ] == []


def test_no_variable_has_a_vague_name():
    assert (
        sorted({f"{path}: {name}" for path, tree in TREES.items() for name in iter_bindings(tree) if name in VAGUE})
        == []
    )


@pytest.mark.parametrize("name", ["built", "kept_rows", "opened", "resolved_path", "_told"])
def test_a_participle_is_recognised(name):
    assert is_participle(name)


@pytest.mark.parametrize("name", ["seed_everything", "run", "split", "embed", "is_closed", "needs_gpu"])
def test_a_verb_or_noun_is_not_a_participle(name):
    assert not is_participle(name)
