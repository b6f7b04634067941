"""A small trained model, saved once, and a copy of it for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import bar
import pytest

import zoo


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
