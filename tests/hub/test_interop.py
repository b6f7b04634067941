"""Test that others can read a published repository without zoo (line 30)."""

import hashlib
import json

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from safetensors import safe_open

from tests.hub import artifact
from zoo.hub import pull, push
from zoo.saving.folder import CARD, CONFIG, FILES, WEIGHTS


@pytest.mark.reliability
def test_the_plain_client_and_safetensors_read_a_published_model(hub, folder, tmp_path):
    done = push(folder, "ann/model", tag="v1")
    api = HfApi(endpoint=hub.url)
    whole = snapshot_download("ann/model", revision="v1", endpoint=hub.url, local_dir=tmp_path / "whole")
    single = hf_hub_download("ann/model", WEIGHTS, revision="v1", endpoint=hub.url, cache_dir=tmp_path / "single")
    same = [name for name in FILES if (tmp_path / "whole" / name).read_bytes() == artifact.files(1)[name]]
    with safe_open(single, "pt") as file:
        described = json.loads(file.metadata()["zoo"])["tensors"]
        sums = {name: hashlib.sha256(file.get_tensor(name).numpy().tobytes()).hexdigest() for name in described}
    print(f"line 30: {len(same)} of {len(FILES)} files read by the plain client, {len(sums)} tensors by safetensors")
    assert str(whole) == str(tmp_path / "whole")
    assert same == list(FILES)
    assert sums == {name: entry["sha256"] for name, entry in described.items()}
    assert api.model_info("ann/model", revision="v1").sha == done.commit
    assert api.verify_repo_checksums("ann/model", revision="v1", local_dir=tmp_path / "whole")


@pytest.mark.reliability
def test_what_the_plain_client_uploaded_is_pulled(hub, folder):
    api = HfApi(endpoint=hub.url)
    api.create_repo("ann/plain")
    api.upload_folder(folder_path=folder, repo_id="ann/plain")
    pulled = pull("hf:ann/plain")
    assert {path.name: path.read_bytes() for path in pulled.folder.iterdir()} == artifact.files(1)
    assert json.loads((pulled.folder / CONFIG).read_text())["license"] == "mit"
    assert (pulled.folder / CARD).is_file()
