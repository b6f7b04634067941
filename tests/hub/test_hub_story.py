"""Run the page docs/hub.md with the real client: a Hub, a publisher and a reader, each in its own process."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hub.md").read_text()
SHELL, PYTHON = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) for kind in ("sh", "python"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Serve a folder in another process, as the page says, and yield its address."""
    folder = tmp_path_factory.mktemp("hub")
    words = ["-m", "tests.hub_server", str(folder), "--port", "0", "--token", "secretword=ann"]
    with subprocess.Popen([sys.executable, "-u", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        lines = iter(process.stdout.readline, "")
        yield next(re.search(r"http://[\d.]+:\d+", line)[0] for line in lines if "http://" in line)
        process.terminate()


@pytest.fixture(scope="module")
def shell(hub, tmp_path_factory):
    """Return a function that runs shell lines in one folder against that Hub."""
    home = tmp_path_factory.mktemp("user")
    tools = tmp_path_factory.mktemp("bin")
    (tools / "zoo").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zoo "$@"\n')
    (tools / "zoo").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HF_HOME": str(home / "cache"),
        "OMP_NUM_THREADS": "1",
    }

    def run(script):
        setup = SHELL[0].replace("http://127.0.0.1:8765", hub)
        words = ["sh", "-ec", f"{setup}\n{script}"]
        done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "secretword" not in done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def published(shell):
    """Publish as the page does, and return the output."""
    return shell(SHELL[1])


def test_publishing_shows_a_plan_then_makes_one_commit_and_then_none(published, hub):
    assert "dry run: nothing was written" in published
    assert f"published {hub}/ann/tiny-clothes" in published
    assert "no commit was made" in published


def test_another_process_loads_what_was_published(published, shell):
    line = shell(f'"{sys.executable}" - <<"END"\n{PYTHON[0]}\nprint(mine)\nEND').splitlines()
    accuracy, reference = line[-2].split()
    assert 0 < float(accuracy) < 1
    assert re.fullmatch(r"hf:ann/tiny-clothes@[0-9a-f]{40}", reference)
    assert "to 3 classes" in line[-1]


def test_a_pull_pins_and_verifies(published, shell):
    output = shell(SHELL[2])
    assert '"hf:ann/tiny-clothes": {"commit": "' in output
    assert "ok    hf:ann/tiny-clothes" in output


def test_the_card_is_shown(published, hub):
    page = urlopen(f"{hub}/ann/tiny-clothes").read().decode()
    for words in ("zoo.load(", "hf:ann/tiny-clothes", "Limits", "model.safetensors"):
        assert words in page
