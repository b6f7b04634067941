"""A small trained model that is saved once, and a copy of it for each test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import helpers
import pytest
import toy_nets

import zoo
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small trained model; no test changes it."""
    return helpers.make_small_model().save(tmp_path_factory.mktemp("pristine") / "model")


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """Return a copy of the saved model that a test may damage."""
    return Path(shutil.copytree(pristine, tmp_path / "model"))


@pytest.fixture
def target() -> zoo.Model:
    """Return a trained model into which damaged weights are loaded."""
    return helpers.make_small_model(seed=1)


@pytest.fixture
def toy_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the toy nets as the models of a plugin."""
    toy = Plugin(name="toys", distribution="zoo-toys", version="1", target="toys", offers=toy_nets.SPECS)
    monkeypatch.setattr(CATALOG, "_plugins", (*CATALOG.plugins(), toy))
    monkeypatch.setattr(CATALOG, "_offers", {})


@pytest.fixture(scope="session")
def run_forked() -> Iterator[Callable[..., Any]]:
    """Return a function that calls a function of `faulty_saves` in a server process that forks.

    The server starts once, because importing torch takes long.
    """
    server = helpers.start_process("import faulty_saves; faulty_saves.serve()")

    def call(name: str, *args: Any) -> Any:
        print(json.dumps([name, args], default=str), file=server.stdin, flush=True)
        result = json.loads(server.stdout.readline())
        assert result is not None, f"{name} failed: see its errors above"
        return result

    yield call
    server.stdin.close()
    server.stdout.close()
    server.wait()
