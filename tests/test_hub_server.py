"""The test server speaks the Hub's protocol: the real client does with it what it does with the Hub."""

import os

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")

import pytest
from hub_server import User, serve
from huggingface_hub import CommitOperationAdd, HfApi

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the client's own, at every LFS PUT
TOKENS = {"hf_ann": User("ann")}


@pytest.fixture
def hub():
    with serve(tokens=TOKENS) as server:
        yield server


def test_a_file_that_was_committed_is_downloaded_as_it_was(hub, tmp_path):
    api = HfApi(endpoint=hub.url, token="hf_ann")
    api.create_repo("ann/net")
    api.create_commit("ann/net", [CommitOperationAdd("net.safetensors", b"weights")], commit_message="first")
    path = api.hf_hub_download("ann/net", "net.safetensors", cache_dir=tmp_path)
    with open(path, "rb") as file:
        assert file.read() == b"weights"
