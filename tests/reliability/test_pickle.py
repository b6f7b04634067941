"""Line 6: a file that would run code when it is opened is never opened."""

import pickle

import crafted_files
import pytest

import zoo
from tests.support.artifacts import write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability
NAMES = ["model.pt", "pytorch_model.bin", "model.pkl", "model.ckpt", "model.safetensors", "model.zip", "model.7z"]


def make_payload(name, marker):
    """Return the bytes of a file with that name."""
    if name.endswith(".7z"):
        return crafted_files.SEVEN_ZIP
    return (crafted_files.make_torch_zip if name.endswith((".zip", ".pt")) else crafted_files.make_pickle)(marker)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "opened"


def test_line_6_the_pickle_would_create_the_marker(marker):
    pickle.loads(crafted_files.make_pickle(marker))
    assert marker.exists()


@pytest.mark.parametrize("name", NAMES)
def test_line_6_a_pickle_is_never_opened(folder, target, tmp_path, marker, name):
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / name).write_bytes(make_payload(name, marker))
    for reference in (trap, trap / name):
        for load in (zoo.load, target.load_weights):
            with pytest.raises(WeightsError):
                load(reference)
    assert not marker.exists()
    print(f"{name}: as a file and in a folder, 4 loads refused, marker never created")


@pytest.mark.parametrize("name", NAMES)
def test_line_6_a_pickle_beside_a_saved_model_is_ignored(folder, marker, name):
    if name == "model.safetensors":
        write_weights(folder, make_payload(name, marker))
        with pytest.raises(WeightsError):
            zoo.load(folder)
    else:
        trap = make_payload(name, marker)  # once: a zip archive contains the time
        (folder / name).write_bytes(trap)
        zoo.load(folder).save(folder)
        assert (folder / name).read_bytes() == trap
    assert not marker.exists()


@pytest.mark.parametrize("name", ["config.json", "history.jsonl", "README.md"])
def test_line_6_a_pickle_instead_of_another_file_is_read_as_text(folder, marker, name):
    (folder / name).write_bytes(crafted_files.make_pickle(marker))
    if name == "README.md":
        zoo.load(folder)
    else:
        with pytest.raises(WeightsError):
            zoo.load(folder)
    assert not marker.exists()
