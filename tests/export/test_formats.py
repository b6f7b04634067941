"""Exported models give the same logits without zoo, at any batch size, and errors say what to do."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import zoo
from zoo.errors import ExportError
from zoo.export import formats
from zoo.saving.manifest import Manifest

SHIPPED = ["gcn-7x7/fashion-mnist", "cnn-7x7/fashion-mnist", "cnn-deep/mnist"]


@pytest.mark.parametrize("reference", SHIPPED)
def test_onnxruntime_gives_the_same_logits_at_any_batch_size(reference, tmp_path):
    model = zoo.load(reference)
    result = model.export(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(result.path, providers=["CPUExecutionProvider"])
    preprocessing = model.preprocessing
    rng = np.random.default_rng(0)
    for count in (1, 2, 33):
        images = rng.integers(0, 256, (count, preprocessing.channels, *preprocessing.size), dtype=np.uint8)
        (outputs,) = session.run(None, {"images": images})
        np.testing.assert_allclose(outputs, model.logits(images).numpy(), atol=1e-4, rtol=1e-4)
    print(result)
    assert result.difference < 1e-5
    assert onnx.load(result.path).opset_import[0].version == result.opset == formats.OPSET


def test_the_preprocessing_is_in_the_file(small, tmp_path):
    train = zoo.Images(small.images, small.labels, small.classes)
    model = zoo.create("cnn-7x7", seed=0).fit(train, epochs=1, progress=False)
    object.__setattr__(model.preprocessing, "mean", (0.3,))
    object.__setattr__(model.preprocessing, "std", (0.2,))
    model.export(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {"images": small.images.numpy()})
    np.testing.assert_allclose(outputs, model.logits(small).numpy(), atol=1e-4, rtol=1e-4)


def test_the_file_contains_the_manifest(tmp_path):
    zoo.load("gcn-7x7/mnist").export(tmp_path / "model.onnx")
    (entry,) = onnx.load(tmp_path / "model.onnx").metadata_props
    manifest = Manifest.from_json(entry.value, name="it")
    assert (entry.key, manifest.model, manifest.classes.names[3]) == ("zoo", "gcn-7x7", "3")


def test_torch_loads_a_pt2_file_without_zoo(tmp_path):
    model = zoo.load("gcn-7x7/mnist")
    model.export(tmp_path / "model.pt2")
    images = torch.randint(0, 256, (5, 1, 7, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    script = (
        "import sys, json, torch\n"
        "sys.modules['zoo'] = None\n"
        "program = torch.export.load(sys.argv[1]).module()\n"
        "images = torch.tensor(json.loads(sys.argv[2]), dtype=torch.uint8)\n"
        "print(json.dumps(program(images).tolist()))\n"
    )
    words = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "model.pt2"), json.dumps(images.tolist())]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    outputs = torch.tensor(json.loads(done.stdout.splitlines()[-1]))
    assert torch.allclose(outputs, model.logits(images), atol=1e-5)


@pytest.mark.parametrize("name", ["model.pt", "model", "model.safetensors"])
def test_another_suffix_is_refused(name, tmp_path):
    with pytest.raises(ExportError, match=r"\.onnx or \.pt2"):
        zoo.load("gcn-7x7/mnist").export(tmp_path / name)


def test_missing_packages_are_named_with_how_to_install_them(monkeypatch, tmp_path):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'zoo-models\[onnx\]'"):
        zoo.load("gcn-7x7/mnist").export(tmp_path / "model.onnx")


def test_a_net_that_cannot_be_exported_is_an_error_and_writes_nothing(monkeypatch, tmp_path):
    model = zoo.load("gcn-7x7/mnist")
    plain = type(model.net).forward
    monkeypatch.setattr(type(model.net), "forward", lambda net, x: plain(net, torch.tensor(x.tolist())))
    with pytest.raises(ExportError, match=r"cannot be exported|does not run with a batch of 1"):
        model.export(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        zoo.load("gcn-7x7/mnist").export(tmp_path / "file" / "model.onnx")


def test_exporting_does_not_change_the_model(tmp_path):
    model = zoo.load("gcn-7x7/mnist")
    before, state = {k: v.clone() for k, v in model.net.state_dict().items()}, torch.get_rng_state()
    model.export(tmp_path / "model.onnx")
    assert all(torch.equal(v, model.net.state_dict()[k]) for k, v in before.items())
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.net.training
