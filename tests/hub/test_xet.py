"""Test large files through Xet's own client, with a folder instead of its servers (line 30)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import CLIENT, TOKEN, USERS
from tests.hub_server import serve

pytest.importorskip("hf_xet")

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
from zoo.hub import pull, push
done = push(sys.argv[1], "ann/model", tag="v1")
again = push(sys.argv[1], "ann/model", tag="v1")
pulled = pull("hf:ann/model@v1")
print(json.dumps([done.commit, again.is_new_commit, pulled.commit, str(pulled.folder)]))
"""


@pytest.mark.reliability
def test_a_model_goes_through_xet_and_comes_back(tmp_path):
    folder = artifact.saved(tmp_path / "model", seed=1, width=100_000)
    with serve(tokens=USERS, xet=True) as hub:
        env = {**os.environ, **CLIENT, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
        del env["HF_HUB_DISABLE_XET"]
        words = [sys.executable, "-c", SCRIPT, str(folder)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        commit, is_new_again, pulled, folder = json.loads(done.stdout)
        keys, past = hub.requests.of("xet-token"), hub.requests.of("lfs-put", "cdn")
        print(f"line 30: published and loaded through Xet: {len(keys)} keys asked for, {len(past)} files past it")
        assert keys
        assert not past
        assert (pulled, is_new_again) == (commit, False)
        assert {path.name: path.read_bytes() for path in Path(folder).iterdir()} == artifact.files(1, width=100_000)
