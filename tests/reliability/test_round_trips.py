"""Lines 7 and 8: what is saved comes back bit for bit, and is read without zoo."""

import copy
import hashlib
from pathlib import Path

import bar
import pytest
import torch

import zoo
from tests.support.small_models import OPTIONS
from zoo.saving.bundled import list_folders as shipped

pytestmark = pytest.mark.reliability
NAMES, KINDS = list(zoo.models), ["float32", "float16", "bfloat16", "float64"]
TOYS = ["toy-halved", "toy-tied", "toy-normed"]


def images(model, count=16):
    wants = model.preprocessing
    shape = (count, wants.channels, *wants.size)
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def made(name):
    """Return a fresh model, narrow where the full width would only take time."""
    return zoo.create(name, seed=0, **OPTIONS.get(name, {}))


def answers(model):
    """Return logits of images, or the images that a generator draws; all of them finite."""
    is_generator = model.spec.task_info.is_generative
    found = model.sample(16).images if is_generator else model.logits(images(model))
    assert torch.isfinite(found.float()).all()
    return found


def again(model, place):
    """Save a model, load it, and check that it is the same and answers the same, bit for bit."""
    found = zoo.load(model.save(place))
    ours, theirs = model.net.state_dict(), found.net.state_dict()
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        assert theirs[name].dtype == tensor.dtype
        assert torch.equal(theirs[name], tensor), name
    assert torch.equal(answers(found), answers(model))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_line_7_a_model_answers_the_same_bit_for_bit(name, kind, tmp_path):
    found = again(made(name).to(dtype=kind), tmp_path / "model")
    assert {each.dtype for each in found.net.parameters()} == {getattr(torch, kind)}
    print(f"{name} in {kind}: {len(images(found))} images, bit-identical")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TOYS)
def test_line_7_nets_with_ties_and_odd_buffers_come_back_too(toy_shelf, name, kind, tmp_path):
    again(zoo.create(name, seed=0).to(dtype=kind), tmp_path / "model")


def test_line_7_a_net_of_which_one_layer_is_half_comes_back(toy_shelf, tmp_path):
    model = zoo.create("toy-halved", seed=0)
    model.net.first.half()
    found = again(model, tmp_path / "model")
    assert (found.net.first.weight.dtype, found.net.second.weight.dtype) == (torch.float16, torch.float32)


def test_line_7_a_net_whose_weights_are_half_and_whose_statistics_are_not_comes_back(toy_shelf, tmp_path):
    model = zoo.create("toy-normed", seed=0)
    for weight in model.net.parameters():
        weight.data = weight.data.half()
    model.net.norm.float()
    again(model, tmp_path / "model")


def test_line_7_tied_weights_stay_tied(toy_shelf, tmp_path):
    found = again(zoo.create("toy-tied", seed=0), tmp_path / "model")
    assert found.net.up.weight is found.net.down.weight


@pytest.mark.parametrize("name", NAMES)
def test_line_7_a_model_that_was_half_for_a_while_comes_back(name, tmp_path):
    again(made(name).to(dtype="bfloat16").to(dtype="float32"), tmp_path / "model")


@pytest.mark.parametrize("name", ["cnn-7x7", "cnn-deep", "cnn-simple"])
def test_line_7_a_channels_last_net_is_stored_as_its_values(name, tmp_path):
    plain = zoo.create(name, seed=0)
    model = copy.deepcopy(plain)
    model.net.to(memory_format=torch.channels_last)
    assert model.save(tmp_path / "last").joinpath("model.safetensors").stat().st_size
    found = zoo.load(tmp_path / "last")
    for key, tensor in model.net.state_dict().items():
        assert torch.equal(found.net.state_dict()[key], tensor)
    assert torch.equal(found.logits(images(found)), plain.logits(images(plain)))
    found.net.to(memory_format=torch.channels_last)
    assert torch.equal(found.logits(images(found)), model.logits(images(model)))


def test_line_7_saving_twice_gives_the_same_bytes(pristine, tmp_path):
    model = zoo.load(pristine)
    one, two = model.save(tmp_path / "one"), model.save(tmp_path / "two")
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes()


PLAIN = """
    import hashlib, json, sys
    from pathlib import Path

    sys.modules["zoo"] = None  # as if it were not installed
    from safetensors.torch import load_file

    for word in sys.argv[1:]:
        folder = Path(word)
        manifest = json.loads((folder / "config.json").read_text("utf-8"))
        weights = load_file(folder / "model.safetensors")
        assert {k: list(w.shape) for k, w in weights.items()} == {k: e["shape"] for k, e in manifest["tensors"].items()}
        for name, sha256 in manifest["files"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
        rows = [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]
        assert all(row["epoch"] for row in rows)
    assert not [name for name in sys.modules if name.startswith("zoo.")]
    print(json.dumps(len(sys.argv) - 1))
"""


def test_line_8_every_artifact_is_read_with_safetensors_and_json_alone(pristine, tmp_path):
    places = [made(name).to(dtype="bfloat16").save(tmp_path / name) for name in NAMES]
    places += [pristine, *shipped().values()]
    assert bar.answer(PLAIN, *places) == len(places)
    print(f"{len(places)} artifacts, {len(places)} read with safetensors and json alone, zoo not importable")


def test_line_8_what_ships_loads_and_is_as_its_hashes_say():
    names = list(shipped())
    for name in names:
        folder = Path(shipped()[name])
        told = zoo.trained[name].manifest.files["model.safetensors"]
        assert hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() == told
        assert zoo.load(name).reference == name
    print(f"{len(names)} shipped artifacts load")
