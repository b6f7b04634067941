"""A small trained model, saved once, and a copy of it for each test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bar
import pytest
import toys

import zoo
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small trained model; nobody changes it."""
    return bar.small_model().save(tmp_path_factory.mktemp("pristine") / "model")


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "model"))


@pytest.fixture
def target() -> zoo.Model:
    """Return a model, trained a little, into which spoiled weights are loaded."""
    return bar.small_model(seed=1)


@pytest.fixture
def toy_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the toys on the shelf, as a plugin of their own."""
    toy = Plugin(name="toys", distribution="zoo-toys", version="1", target="toys", offers=toys.SPECS)
    monkeypatch.setattr(CATALOG, "_plugins", (*CATALOG.plugins(), toy))
    monkeypatch.setattr(CATALOG, "_offers", {})


@pytest.fixture(scope="session")
def forged() -> Iterator[Callable[..., Any]]:
    """Return what calls a function of `forge` in a process that forks; it is started once, since torch takes long."""
    server = bar.process("import forge; forge.serve()")

    def called(name: str, *words: Any) -> Any:
        print(json.dumps([name, words], default=str), file=server.stdin, flush=True)
        told = json.loads(server.stdout.readline())
        assert told is not None, f"{name} failed: see the errors of forge above"
        return told

    yield called
    server.stdin.close()
    server.stdout.close()
    server.wait()
