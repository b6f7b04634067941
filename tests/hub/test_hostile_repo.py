"""Test that of any repository only the files zoo knows are downloaded, and none is run (line 25)."""

import json
import sys
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG
from zoo.errors import HubError, HubNotFoundError, HubUntrustedError, WeightsError, ZooError
from zoo.hub import pull
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, WEIGHTS

NAMES = (
    "../evil.txt",
    "a/../../evil.txt",
    "/tmp/zoo-evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "\\\\host\\share\\evil.txt",
    "a/./b",
    "a//b",
    ".cache/huggingface/download/config.json.metadata",
    ".git/config",
    "new\nline",
    "n" * 300,
    "modeling.py/nested",
    "CON",
    "\u202egnp.exe",
)
DEEP = b"[" * 100_000 + b"]" * 100_000
LARGE = (100 if LONG else 2) << 20


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return all paths below a folder except the cache."""
    paths = (path for path in folder.rglob("*") if "cache" not in path.relative_to(folder).parts)
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


def planted(hub, files, name="ann/model"):
    return hub.store.plant(hub.store.find(name) or hub.store.create(name), files)


@pytest.mark.reliability
def test_only_known_names_are_fetched(hub, tmp_path):
    extra = {"model.safetensors.index.json": b'{"weight_map": {"a": "../../evil"}}', "modeling.py": b"raise SystemExit"}
    planted(hub, {**artifact.files(1), **dict.fromkeys(NAMES, b"evil"), **extra})
    before, modules = tree(tmp_path), {*sys.modules}
    scratch = tree(Path(hub.store.folder))
    pulled = pull("hf:ann/model")
    asked = {record.path for record in hub.requests.of("resolve-head", "resolve-get")}
    outside = {*tree(tmp_path)} ^ {*before}
    elsewhere = [r.path for r in hub.requests if "ann/model" not in r.path and r.kind not in ("cdn", "whoami")]
    print(
        f"line 25: {len(NAMES)} hostile names: {len(asked)} names asked for, {len(outside)} files written outside "
        f"the cache, {len(elsewhere)} requests to other repositories"
    )
    assert {path.name for path in pulled.folder.iterdir()} == set(FILES) == {path.rsplit("/", 1)[1] for path in asked}
    assert (outside, elsewhere) == (set(), [])
    assert tree(Path(hub.store.folder)) == scratch
    assert not [name for name in {*sys.modules} - modules if name.startswith(("zoo_", "model"))]


def without(name):
    return {each: data for each, data in artifact.files(1).items() if each != name}


def changed(**fields):
    """Return a model with a changed config and a valid checksum."""
    from zoo.files.checked_json import dump_with_checksum

    record = json.loads(artifact.files(1)[CONFIG])
    record.pop("seal")
    return {**artifact.files(1), CONFIG: dump_with_checksum({**record, **fields}).encode()}


BAD = {
    "no config": (without(CONFIG), HubNotFoundError),
    "no weights": (without(WEIGHTS), HubNotFoundError),
    "no history": (without(HISTORY), HubNotFoundError),
    "nothing": ({}, HubNotFoundError),
    "large config": ({**artifact.files(1), CONFIG: bytes(LARGE)}, HubUntrustedError),
    "large card": ({**artifact.files(1), CARD: bytes(LARGE)}, HubUntrustedError),
    "deep config": ({**artifact.files(1), CONFIG: DEEP}, WeightsError),
    "config of a list": ({**artifact.files(1), CONFIG: b"[]"}, WeightsError),
    "config of another library": ({**artifact.files(1), CONFIG: b'{"model_type": "bert"}'}, WeightsError),
    "weights of another model": ({**artifact.files(1), WEIGHTS: artifact.files(2)[WEIGHTS]}, WeightsError),
    "weights that are a pickle": ({**artifact.files(1), WEIGHTS: b"\x80\x04cos\nsystem\n."}, WeightsError),
    "weights with a long header": ({**artifact.files(1), WEIGHTS: b"\xff" * 8 + b"{}"}, WeightsError),
    "another model's name": (changed(model="os.system"), WeightsError),
    "another origin": (changed(plugin={"plugin": "os", "distribution": "evil", "version": "1"}), WeightsError),
    "a folder for a file": ({**without(CONFIG), "config.json/a": b"{}"}, HubNotFoundError),
}


@pytest.mark.reliability
def test_what_is_no_model_is_refused(hub, tmp_path):
    refused = 0
    for number, (what, (files, kind)) in enumerate(BAD.items()):
        planted(hub, files, f"ann/model-{number}")
        before, modules = tree(tmp_path), {*sys.modules}
        with pytest.raises(kind) as caught:
            pull(f"hf:ann/model-{number}")
        refused += isinstance(caught.value, ZooError) and str(tmp_path) not in str(caught.value)
        assert f"hf:ann/model-{number}" in str(caught.value), what
        assert tree(tmp_path) == before
        assert {*sys.modules} == modules
        assert not [*(tmp_path / "cache").glob("*/*/[0-9a-f]*")]
    print(f"line 25: {refused} of {len(BAD)} repositories without a whole model refused, nothing kept")
    assert refused == len(BAD)


def test_large_files_are_refused_before_they_are_fetched(hub):
    planted(hub, {**artifact.files(1), CARD: bytes(LARGE)})
    with pytest.raises(HubUntrustedError, match=r"README.md of hf:ann/model is \d+ bytes; zoo reads at most 1048576"):
        pull("hf:ann/model")
    assert not hub.requests.of("resolve-head", "resolve-get", "cdn")


@pytest.mark.parametrize("name", ["os.system", "../../etc", "other/repo", "https://evil.example/model", "zoo_evil:net"])
def test_a_name_in_a_config_is_looked_up_among_the_models_and_nowhere_else(hub, name):
    import zoo

    planted(hub, artifact.files(1, model=name))
    zoo.create("gcn-7x7")  # what making any model imports
    modules = {*sys.modules}
    with pytest.raises(ZooError):
        zoo.load("hf:ann/model")
    assert not [each for each in {*sys.modules} - modules if not each.startswith("zoo")]
    assert all("ann/model" in record.path for record in hub.requests if record.kind != "cdn")


SHAPES = {
    "deep": DEEP,
    "empty": b"[]",
    "no list": b"{}",
    "a number": b"7",
    "no JSON": b"<html>",
    "no fields": b'[{"type": "file", "path": "config.json"}]',
    "no hash": b'[{"type": "file", "path": "config.json", "size": 3, "oid": "../../../etc/passwd"}]',
    "negative": b'[{"type": "file", "path": "config.json", "size": -3, "oid": "' + b"a" * 40 + b'"}]',
    "a long size": b'[{"type": "file", "path": "config.json", "size": 1e999, "oid": "' + b"a" * 40 + b'"}]',
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["info", "paths-info"])
def test_an_answer_of_another_shape_is_an_error_of_zoo(hub, impatient, shape, kind):
    planted(hub, artifact.files(1))
    hub.faults.add(kind, body=SHAPES[shape], times=None)
    with pytest.raises(HubError):
        pull("hf:ann/model")
