"""Lines 7 and 8: a saved model comes back bit for bit, and can be read without zoo."""

import copy
import hashlib
from pathlib import Path

import helpers
import pytest
import torch

import zoo
from tests.support.small_models import OPTIONS
from zoo.saving.bundled import list_folders

pytestmark = pytest.mark.reliability
NAMES, KINDS = list(zoo.models), ["float32", "float16", "bfloat16", "float64"]
TOYS = ["toy-halved", "toy-tied", "toy-normed"]


def make_images(model, count=16):
    preprocessing = model.preprocessing
    shape = (count, preprocessing.channels, *preprocessing.size)
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def make_model(name):
    """Return a fresh model, narrow where the full width would only take time."""
    return zoo.create(name, seed=0, **OPTIONS.get(name, {}))


def compute_outputs(model):
    """Return the logits of images, or generated images; check that all are finite."""
    is_generator = model.spec.task_info.is_generative
    outputs = model.sample(16).images if is_generator else model.logits(make_images(model))
    assert torch.isfinite(outputs.float()).all()
    return outputs


def save_and_load(model, folder):
    """Save and load a model; check that weights and outputs are equal bit for bit."""
    loaded = zoo.load(model.save(folder))
    state, loaded_state = model.net.state_dict(), loaded.net.state_dict()
    assert list(state) == list(loaded_state)
    for name, tensor in state.items():
        assert loaded_state[name].dtype == tensor.dtype
        assert torch.equal(loaded_state[name], tensor), name
    assert torch.equal(compute_outputs(loaded), compute_outputs(model))
    return loaded


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_line_7_a_model_gives_the_same_outputs_bit_for_bit(name, kind, tmp_path):
    loaded = save_and_load(make_model(name).to(dtype=kind), tmp_path / "model")
    assert {each.dtype for each in loaded.net.parameters()} == {getattr(torch, kind)}
    print(f"{name} in {kind}: {len(make_images(loaded))} images, bit-identical")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TOYS)
def test_line_7_nets_with_tied_weights_and_unusual_buffers_come_back(toy_plugin, name, kind, tmp_path):
    save_and_load(zoo.create(name, seed=0).to(dtype=kind), tmp_path / "model")


def test_line_7_a_net_with_one_half_precision_layer_comes_back(toy_plugin, tmp_path):
    model = zoo.create("toy-halved", seed=0)
    model.net.first.half()
    loaded = save_and_load(model, tmp_path / "model")
    assert (loaded.net.first.weight.dtype, loaded.net.second.weight.dtype) == (torch.float16, torch.float32)


def test_line_7_a_net_with_half_weights_and_float_statistics_comes_back(toy_plugin, tmp_path):
    model = zoo.create("toy-normed", seed=0)
    for weight in model.net.parameters():
        weight.data = weight.data.half()
    model.net.norm.float()
    save_and_load(model, tmp_path / "model")


def test_line_7_tied_weights_stay_tied(toy_plugin, tmp_path):
    loaded = save_and_load(zoo.create("toy-tied", seed=0), tmp_path / "model")
    assert loaded.net.up.weight is loaded.net.down.weight


@pytest.mark.parametrize("name", NAMES)
def test_line_7_a_model_that_was_half_precision_before_comes_back(name, tmp_path):
    save_and_load(make_model(name).to(dtype="bfloat16").to(dtype="float32"), tmp_path / "model")


@pytest.mark.parametrize("name", ["cnn-7x7", "cnn-deep", "cnn-simple"])
def test_line_7_a_channels_last_net_is_stored_by_its_values(name, tmp_path):
    plain = zoo.create(name, seed=0)
    model = copy.deepcopy(plain)
    model.net.to(memory_format=torch.channels_last)
    assert model.save(tmp_path / "last").joinpath("model.safetensors").stat().st_size
    loaded = zoo.load(tmp_path / "last")
    for key, tensor in model.net.state_dict().items():
        assert torch.equal(loaded.net.state_dict()[key], tensor)
    assert torch.equal(loaded.logits(make_images(loaded)), plain.logits(make_images(plain)))
    loaded.net.to(memory_format=torch.channels_last)
    assert torch.equal(loaded.logits(make_images(loaded)), model.logits(make_images(model)))


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


def test_line_8_every_artifact_can_be_read_with_safetensors_and_json_alone(pristine, tmp_path):
    folders = [make_model(name).to(dtype="bfloat16").save(tmp_path / name) for name in NAMES]
    folders += [pristine, *list_folders().values()]
    assert helpers.run_process(PLAIN, *folders) == len(folders)
    print(f"{len(folders)} artifacts, {len(folders)} read with safetensors and json alone, zoo not importable")


def test_line_8_shipped_models_load_and_match_their_hashes():
    names = list(list_folders())
    for name in names:
        folder = Path(list_folders()[name])
        expected = zoo.trained[name].manifest.files["model.safetensors"]
        assert hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() == expected
        assert zoo.load(name).reference == name
    print(f"{len(names)} shipped artifacts load")
