"""Give all these tests their own Hub: on loopback only, without this machine's token and cache."""

import os
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from tests.hub import artifact
from tests.hub.press import Press
from tests.hub_server import Server, User, serve
from zoo.hub import push

LONG = os.environ.get("ZOO_LONG") == "1"
TOKEN = "hf_AnnMayWriteHere4711"
USERS = {
    TOKEN: User("ann", orgs=("lab",)),
    "hf_AnnMayReadHere0815": User("ann", role="read"),
    "hf_BobIsSomebodyElse23": User("bob"),
}
CLIENT = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}
"""Constants that the client reads from the environment at import; here it may be imported already."""


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a test away from this machine's tokens, caches, lock files and network."""
    home = tmp_path / "home"
    for name, value in CLIENT.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(constants, name, True, raising=False)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT", "ZOO_LOCK", "ZOO_HUB_INSECURE", "ZOO_HUB_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(home / "stored_tokens"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(home / "assets"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve a Hub that the environment points to, with a token that may write."""
    with serve(tokens=USERS) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between attempts, where waiting is not tested."""
    monkeypatch.setattr("zoo.hub.retry.RETRY_DELAYS", (0.01, 0.01, 0.01))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a saved model."""
    return artifact.saved(tmp_path / "model", seed=1)


@pytest.fixture
def planted(hub: Server) -> Server:
    """Return a Hub with the model `artifact.files(1)`."""
    hub.store.plant(hub.store.create("ann/model"), artifact.files(1))
    return hub


@pytest.fixture
def published(hub: Server, folder: Path) -> Server:
    """Return a Hub to which the model of `folder` was pushed."""
    push(folder, "ann/model")
    hub.requests.clear()
    return hub


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return the folder of another version of that model."""
    return artifact.saved(tmp_path / "newer", seed=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore httpx2's deprecation of the way the client uploads."""
    ignored = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(ignored)


@pytest.fixture(scope="session")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """Return a starter of real processes that push and pull."""
    root = tmp_path_factory.mktemp("press")
    press = Press(root, {**CLIENT, "HF_HOME": str(root / "home")})
    yield press
    press.close()
