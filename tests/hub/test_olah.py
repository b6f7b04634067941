"""Line 30: an independent reader, the caching mirror olah, passes on what was published, and zoo loads through it.

It is no part of zoo: the long form installs it into an environment of its own; the short one runs where it is at hand.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG
from zoo.hub import pull, push

PATIENCE = 60


@pytest.fixture(scope="module")
def olah(tmp_path_factory):
    found = shutil.which("olah-cli")
    if found or not LONG:
        return found or pytest.skip("olah-cli is not installed; the long form (make reliability) installs it")
    place = tmp_path_factory.mktemp("olah")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", "olah"], check=True)
    return str(place / "bin" / "olah-cli")


@pytest.fixture
def mirror(olah, hub, tmp_path):
    """Start the mirror olah in front of the Hub, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    behind, here = hub.url.removeprefix("http://"), f"127.0.0.1:{port}"
    words = ["--host", "127.0.0.1", "--port", str(port), "--hf-scheme", "http", "--hf-netloc", behind]
    words += ["--hf-lfs-netloc", behind, "--mirror-netloc", here, "--repos-path", str(tmp_path / "mirrored")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "ZOO_"))}
    with subprocess.Popen([olah, *words], env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait(here)
        yield f"http://{here}"
        process.terminate()


def _wait(here):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urlopen(f"http://{here}/", timeout=5).close()
        except OSError as error:
            if getattr(error, "code", None):  # it answers, if only that there is no such page
                error.close()
                return
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"olah did not answer within {PATIENCE} s")


@pytest.mark.reliability
def test_an_independent_mirror_serves_what_was_published(hub, folder, mirror, monkeypatch):
    push(folder, "ann/model", tag="v1")
    monkeypatch.setenv("HF_ENDPOINT", mirror)
    monkeypatch.delenv("HF_TOKEN")
    pulled = pull("hf:ann/model@v1")
    same = [name for name, data in artifact.files(1).items() if (Path(pulled.folder) / name).read_bytes() == data]
    print(f"line 30: {len(same)} of {len(artifact.files(1))} files came through olah as they were published")
    assert sorted(same) == sorted(artifact.files(1))
    assert pulled.source == "hub"
