"""Line 6: what would run code when it is opened is never opened."""

import pickle

import hostile
import pytest

import zoo
from tests.support.artifacts import write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability
NAMES = ["model.pt", "pytorch_model.bin", "model.pkl", "model.ckpt", "model.safetensors", "model.zip", "model.7z"]


def payload(name, marker):
    """Return the bytes that such a file would hold."""
    if name.endswith(".7z"):
        return hostile.SEVEN_ZIP
    return (hostile.torch_zip if name.endswith((".zip", ".pt")) else hostile.pickled)(marker)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "opened"


def test_line_6_the_trap_works(marker):
    pickle.loads(hostile.pickled(marker))
    assert marker.exists()


@pytest.mark.parametrize("name", NAMES)
def test_line_6_a_pickle_is_never_opened(folder, target, tmp_path, marker, name):
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / name).write_bytes(payload(name, marker))
    for reference in (trap, trap / name):
        for load in (zoo.load, target.load_weights):
            with pytest.raises(WeightsError):
                load(reference)
    assert not marker.exists()
    print(f"{name}: as a file and in a folder, 4 loads refused, marker never made")


@pytest.mark.parametrize("name", NAMES)
def test_line_6_a_pickle_beside_a_saved_model_is_passed_by(folder, marker, name):
    if name == "model.safetensors":
        write_weights(folder, payload(name, marker))
        with pytest.raises(WeightsError):
            zoo.load(folder)
    else:
        trap = payload(name, marker)  # once: a zip archive holds the time
        (folder / name).write_bytes(trap)
        zoo.load(folder).save(folder)
        assert (folder / name).read_bytes() == trap
    assert not marker.exists()


@pytest.mark.parametrize("name", ["config.json", "history.jsonl", "README.md"])
def test_line_6_a_pickle_in_the_place_of_another_file_is_read_as_text(folder, marker, name):
    (folder / name).write_bytes(hostile.pickled(marker))
    if name == "README.md":
        zoo.load(folder)
    else:
        with pytest.raises(WeightsError):
            zoo.load(folder)
    assert not marker.exists()
