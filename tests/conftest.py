"""What all tests share: small real images, and a machine on which no other data set lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo
from zoo.data.readers import locations as places

torch.set_num_threads(1)
torch.zeros(1, requires_grad=True).sum().backward()  # counts the devices before a fake GPU adds one: with threads that
# wait for a GPU, forked children could not train

BESIDE = Path(__file__).parents[2] / "shared" / "data"
GIVEN = os.environ.get("ZOO_DATA")


@pytest.fixture(scope="session")
def bundled() -> zoo.Dataset:
    """Return the 7 x 7 set that ships with zoo."""
    return zoo.dataset("fashion-mnist-7x7")


@pytest.fixture
def small(bundled: zoo.Dataset) -> zoo.Images:
    """Return 200 real images of 7 x 7 pixels, 20 of each of the ten classes."""
    test = bundled.test
    return test[torch.cat([(test.labels == k).nonzero().flatten()[:20] for k in range(10)]).sort().values]


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Point ZOO_DATA at an empty folder and look nowhere else, so that no test depends on this machine."""
    folder = tmp_path_factory.getbasetemp() / "no-data"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("ZOO_DATA", str(folder))
    monkeypatch.setattr(places, "SHARED_FOLDERS", ())
    return folder


@pytest.fixture
def full_data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point ZOO_DATA at the full data sets: where it pointed before the tests, or beside the repository."""
    folder = Path(GIVEN) if GIVEN else BESIDE
    if not folder.is_dir():
        pytest.skip("the full data sets are not here: set ZOO_DATA to the folder that holds them")
    monkeypatch.setenv("ZOO_DATA", str(folder))
    return folder


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return what shows a figure at the end of a run, also when all tests pass."""
    return lambda told: record_property("figure", told)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests have told."""
    reports = [each for state in ("passed", "failed") for each in terminalreporter.stats.get(state, ())]
    figures = [told for each in reports for name, told in each.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for told in figures:
            terminalreporter.line(str(told))
