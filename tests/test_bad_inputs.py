"""Every mistake a person can make ends in a typed error that says what to do, and leaves the model as it was."""

from __future__ import annotations

import subprocess
import sys
from itertools import count, cycle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import zoo
from tests.support.artifacts import edit_manifest
from zoo.cli.main import main
from zoo.data import ExternalLoader
from zoo.data.readers import iterables
from zoo.errors import (
    ConfigError,
    DeviceError,
    ImageError,
    LabelError,
    SourceError,
    TrainingError,
    UnknownNameError,
    WeightsError,
    ZooError,
)

GREY = np.random.default_rng(0).integers(0, 256, (20, 7, 7), dtype=np.uint8)
COLOUR = np.zeros((20, 7, 7, 3), np.uint8)
LABELS = np.arange(20) % 10
ONCE = {"epochs": 1, "progress": False}


def fit(model, data=(GREY, LABELS), **changes):
    return model.fit(data, **{**ONCE, **changes})


def loader(images=None, labels=None):
    """Return a torch loader with five batches of four."""
    images = torch.rand(20, 1, 7, 7) if images is None else images
    return DataLoader(TensorDataset(images, torch.arange(20) % 10 if labels is None else labels), batch_size=4)


class Batches:
    """A loader of someone else, that says it has `length` batches."""

    def __init__(self, batches, length=2):
        self.batches, self.length = batches, length

    def __len__(self):
        return self.length

    def __iter__(self):
        return self.batches


def spoiled(images, value):
    images = images / 255
    images[3, 2, 2] = value
    return images


def saved(model, folder, change=None):
    """Save a model, let `change` do something to the folder, and return its path."""
    model.save(folder)
    if change is not None:
        change(folder)
    return folder


def flip_byte(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def edit(**fields):
    """Return a change that replaces fields of `config.json`."""

    return lambda folder: edit_manifest(folder, **fields)


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


CASES = [
    # images
    ("wrong channels in fit", lambda m, t: fit(m, (COLOUR, LABELS)), ImageError, "model takes 1; to_grayscale()"),
    ("wrong channels in predict", lambda m, t: m.predict(COLOUR), ImageError, "the model takes 1; to_grayscale()"),
    ("wrong channels in evaluate", lambda m, t: m.evaluate((COLOUR, LABELS)), ImageError, "the model takes 1"),
    ("wrong channels in validation", lambda m, t: fit(m, validation=(COLOUR, LABELS)), ImageError, "takes 1"),
    ("NaN in fit", lambda m, t: fit(m, (spoiled(GREY, np.nan), LABELS)), ImageError, "NaN or infinite"),
    ("NaN in predict", lambda m, t: m.predict(spoiled(GREY, np.nan)), ImageError, "NaN or infinite"),
    ("Inf in predict", lambda m, t: m.predict(spoiled(GREY, np.inf)), ImageError, "NaN or infinite"),
    ("floats out of range", lambda m, t: fit(m, (GREY - 99.5, LABELS)), ImageError, "leave Normalize out"),
    ("normalised floats", lambda m, t: m.predict(GREY / 255 * 2 - 1), ImageError, "floats in 0..1"),
    ("complex images", lambda m, t: m.predict(GREY.astype(complex)), ImageError, "images are numbers"),
    ("text as images", lambda m, t: fit(m, (["a.png"] * 20, LABELS)), ImageError, "images are numbers"),
    ("ragged images", lambda m, t: m.predict([[[1, 2], [3]]]), ImageError, "in an array of one shape"),
    ("a shape that is no image", lambda m, t: m.predict(np.zeros((2, 2, 2, 2, 2))), ImageError, "(N, C, H, W)"),
    ("rows that are no square", lambda m, t: fit(m, (np.zeros((20, 50)), LABELS)), ImageError, "not square images"),
    ("predict with nothing", lambda m, t: m.predict([]), ImageError, "no images to predict"),
    ("predict with no rows", lambda m, t: m.predict(GREY[:0]), ImageError, "not images"),
    ("predict None", lambda m, t: m.predict(None), ImageError, "images are numbers"),
    ("predict a data set", lambda m, t: m.predict(zoo.dataset("fashion-mnist-7x7")), ImageError, "its .train or .test"),
    ("predict a missing file", lambda m, t: m.predict(t / "gone.png"), ImageError, "no file"),
    ("predict a text file", lambda m, t: m.predict(written(t / "a.png", b"text")), ImageError, "not an image that can"),
    ("predict an empty folder", lambda m, t: m.predict(t), ImageError, "holds no image files"),
    # labels
    ("fewer labels", lambda m, t: fit(m, (GREY, LABELS[:9])), LabelError, "20 images and 9 labels"),
    ("float labels", lambda m, t: fit(m, (GREY, LABELS + 0.5)), LabelError, "one class per image"),
    ("NaN labels", lambda m, t: fit(m, (GREY, np.full(20, np.nan))), LabelError, "one class per image"),
    ("infinite labels", lambda m, t: fit(m, (GREY, np.full(20, np.inf))), LabelError, "one class per image"),
    ("one-hot labels", lambda m, t: fit(m, (GREY, np.eye(20))), LabelError, "one class per image"),
    ("None labels", lambda m, t: fit(m, (GREY, [None] * 20)), LabelError, "whole numbers"),
    ("one label for all", lambda m, t: fit(m, (GREY, np.array(3))), LabelError, "one class per image"),
    ("too many classes", lambda m, t: fit(m, (GREY, np.arange(20))), LabelError, "create it with classes=20"),
    ("too few string classes", lambda m, t: fit(m, (GREY, ["a", "b"] * 10)), LabelError, "create it with classes=2"),
    ("evaluate unknown labels", lambda m, t: m.evaluate((GREY, ["a"] * 20)), LabelError, "not one of the 10 classes"),
    ("validate unknown labels", lambda m, t: fit(m, validation=(GREY, ["a"] * 20)), LabelError, "not one of the 10"),
    # loaders and iterables
    ("loader: labels beyond", lambda m, t: fit(m, loader(labels=torch.full((20,), 10))), LabelError, "0..9"),
    ("loader: labels below", lambda m, t: fit(m, loader(labels=torch.full((20,), -1))), LabelError, "labels -1..-1"),
    ("loader: NaN", lambda m, t: fit(m, loader(torch.full((20, 1, 7, 7), torch.nan))), ImageError, "NaN"),
    ("loader: channels", lambda m, t: fit(m, loader(torch.rand(20, 3, 7, 7))), ImageError, "the model takes 1"),
    ("loader: evaluate labels", lambda m, t: m.evaluate(loader(labels=torch.full((20,), 10))), LabelError, "0..9"),
    ("loader: validation share", lambda m, t: fit(m, loader(), validation=0.2), ConfigError, "validation=..."),
    ("loader: augmentation", lambda m, t: fit(m, loader(), augment="flip"), ConfigError, "augment needs the images"),
    ("loader: balanced", lambda m, t: fit(m, loader(), class_weights="balanced"), ConfigError, "class_weights needs"),
    ("loader: empty", lambda m, t: fit(m, DataLoader([])), SourceError, "it is empty, or an iterator that is used up"),
    ("loader: empty evaluate", lambda m, t: m.evaluate(DataLoader([])), SourceError, "it is empty"),
    ("loader: used up", lambda m, t: fit(m, Batches(iter([]))), SourceError, "used up after one epoch"),
    ("loader: endless evaluate", lambda m, t: m.evaluate(Batches(cycle(loader()))), SourceError, "correct its length"),
    ("loader: endless predict", lambda m, t: m.predict(Batches(cycle(loader()))), SourceError, "correct its length"),
    ("loader: triples", lambda m, t: fit(m, Batches(iter([(1, 2, 3)]))), SourceError, "yields (images, labels)"),
    ("no full batch", lambda m, t: fit(m, small_loader()), ConfigError, "lower batch_size or give more"),
    ("used-up iterator", lambda m, t: fit(m, iter(())), SourceError, "an iterator that is used up"),
    ("endless iterator", lambda m, t: fit(m, ((GREY[0], k % 10) for k in count())), SourceError, "itertools.islice"),
    ("empty list", lambda m, t: fit(m, []), SourceError, "gives no images"),
    ("images without labels", lambda m, t: fit(m, GREY), SourceError, "reads pairs (images, labels)"),
    ("a dict", lambda m, t: fit(m, {"x": GREY, "y": LABELS}), SourceError, "give (X, y)"),
    ("None", lambda m, t: fit(m, None), SourceError, "give a folder, (X, y)"),
    # folders and files
    ("missing folder", lambda m, t: fit(m, t / "gone"), SourceError, "no folder or file"),
    ("a bare name for fit", lambda m, t: fit(m, "fashion-mnist-7x7"), SourceError, "zoo.dataset(name)"),
    ("folder without images", lambda m, t: fit(m, t), SourceError, "make one sub-folder per class"),
    ("file that is no image", lambda m, t: fit(m, written(t / "a/1.png", b"text").parents[1]), ImageError, "1.png"),
    ("truncated IDX", lambda m, t: fit(m, truncated_idx(t)), SourceError, "is damaged: it has 20 bytes"),
    ("file of an unknown kind", lambda m, t: fit(m, written(t / "a.csv", b"1,2")), SourceError, "not one of .npz"),
    ("damaged npz", lambda m, t: fit(m, written(t / "a.npz", b"PK")), SourceError, "not a .npz file"),
    # names
    ("model misspelt", lambda m, t: zoo.create("gcn7x7"), UnknownNameError, "did you mean gcn-7x7"),
    ("data set misspelt", lambda m, t: zoo.dataset("fashion-mnst"), UnknownNameError, "did you mean fashion-mnist"),
    ("data set not here", lambda m, t: zoo.dataset("mnist").train, SourceError, "set ZOO_DATA to the folder"),
    ("torchvision misspelt", lambda m, t: zoo.dataset("torchvision:CIFAR11"), UnknownNameError, "did you mean CIFAR10"),
    ("load of a bare name", lambda m, t: zoo.load("gcn-7x7"), UnknownNameError, "such as './gcn-7x7'"),
    # options of a model
    ("unknown option", lambda m, t: zoo.create("gcn-7x7", widht=3), ConfigError, "takes no 'widht'"),
    ("option of a wrong type", lambda m, t: zoo.create("gcn-7x7", size="7"), ConfigError, "takes size as"),
    ("size 0", lambda m, t: zoo.create("gcn-7x7", size=0), ConfigError, "size is at least 1"),
    ("classes 0", lambda m, t: zoo.create("gcn-7x7", classes=0), ConfigError, "classes is at least 1"),
    ("too small a size", lambda m, t: zoo.create("cnn-deep", size=3), ConfigError, "at least 8 x 8 pixels, not 3 x 3"),
    ("seed negative", lambda m, t: zoo.create("gcn-7x7", seed=-1), ConfigError, "seed is a whole number of at least 0"),
    ("seed a float", lambda m, t: zoo.create("gcn-7x7", seed=1.5), ConfigError, "seed is a whole number"),
    # recipes
    ("unknown field", lambda m, t: fit(m, epoch=1), ConfigError, "did you mean epochs?"),
    ("unknown recipe", lambda m, t: fit(m, recipe="fast"), ConfigError, "has no recipe 'fast'; it has tuned"),
    ("unknown optimizer", lambda m, t: fit(m, optimizer="adan"), ConfigError, "one of adam, adamw, sgd, rmsprop"),
    ("unknown schedule", lambda m, t: fit(m, schedule="cosin"), ConfigError, "did you mean cosine"),
    ("unknown augmentation", lambda m, t: fit(m, augment=("flipp",)), ConfigError, "did you mean flip"),
    ("augmentation too strong", lambda m, t: fit(m, augment="scale:1"), ConfigError, "a fraction below 1"),
    ("lr negative", lambda m, t: fit(m, lr=-0.1), ConfigError, "lr is a number above 0"),
    ("lr as text", lambda m, t: fit(m, lr="fast"), ConfigError, "lr is a number above 0"),
    ("lr NaN", lambda m, t: fit(m, lr=float("nan")), ConfigError, "lr is a number above 0"),
    ("epochs 0", lambda m, t: fit(m, epochs=0), ConfigError, "epochs is a whole number at least 1"),
    ("epochs a fraction", lambda m, t: fit(m, epochs=1.5), ConfigError, "epochs is a whole number at least 1"),
    ("batch size 0", lambda m, t: fit(m, batch_size=0), ConfigError, "batch_size is a whole number at least 1"),
    ("fit seed negative", lambda m, t: fit(m, seed=-1), ConfigError, "seed is a whole number at least 0"),
    ("validation share 1", lambda m, t: fit(m, validation=1.0), ConfigError, "at most 0.99"),
    ("class weights too few", lambda m, t: fit(m, class_weights=(1, 2)), ConfigError, "2 numbers for 10 classes"),
    ("class weights all zero", lambda m, t: fit(m, class_weights=(0,) * 10), ConfigError, "some above 0"),
    ("callback without methods", lambda m, t: fit(m, callbacks=[5]), ConfigError, "methods on_step and on_epoch"),
    ("option called name", lambda m, t: zoo.create("gcn-7x7", name="x"), ConfigError, "takes no 'name'"),
    ("set without a download", lambda m, t: zoo.dataset("cifar10-jpeg").train, SourceError, "set ZOO_DATA"),
    ("class weights negative", lambda m, t: fit(m, class_weights=(-1,) * 10), ConfigError, "non-negative number"),
    ("nesterov alone", lambda m, t: fit(m, nesterov=True), ConfigError, "needs optimizer='sgd' and a momentum"),
    ("fp16 on the CPU", lambda m, t: fit(m, precision="fp16", device="cpu"), ConfigError, "use 'bf16' or 'fp32'"),
    ("top 0", lambda m, t: m.classify(GREY, top_k=0), ConfigError, "top_k is a whole number of at least 1"),
    # devices
    ("no such GPU", lambda m, t: fit(m, device="cuda:99"), DeviceError, "use device='cpu'"),
    ("no such GPU for to", lambda m, t: m.to("cuda:99"), DeviceError, "use device='cpu'"),
    ("nonsense device", lambda m, t: fit(m, device="gpu"), DeviceError, "use 'cpu', 'cuda', 'cuda:1' or 'mps'"),
    ("meta device", lambda m, t: m.to("meta"), DeviceError, "zoo does not run on 'meta'"),
    # saved models
    ("load a missing folder", lambda m, t: zoo.load(t / "gone"), WeightsError, "no folder"),
    ("load an empty folder", lambda m, t: zoo.load(t), WeightsError, "config.json cannot be read"),
    (
        "damaged config.json",
        lambda m, t: zoo.load(saved(m, t / "m", lambda f: written(f / "config.json", b'{"format": 2'))),
        WeightsError,
        "is not JSON",
    ),
    (
        "config.json without a field",
        lambda m, t: zoo.load(saved(m, t / "m", edit(config=None))),
        WeightsError,
        "'config' is missing",
    ),
    (
        "config.json of a newer zoo",
        lambda m, t: zoo.load(saved(m, t / "m", edit(format=3))),
        WeightsError,
        "upgrade zoo-models",
    ),
    (
        "model of no plugin",
        lambda m, t: zoo.load(saved(m, t / "m", edit(model="net"))),
        UnknownNameError,
        "pip install",
    ),
    ("flipped byte", lambda m, t: zoo.load(saved(m, t / "m", flip_byte)), WeightsError, "is damaged or was changed"),
    (
        "missing weights",
        lambda m, t: zoo.load(saved(m, t / "m", lambda f: (f / "model.safetensors").unlink())),
        WeightsError,
        "model.safetensors cannot be read",
    ),
    (
        "save over a foreign folder",
        lambda m, t: m.save(written(t / "docs/thesis.tex", b"").parent),
        WeightsError,
        "save to another path",
    ),
    ("save over a file", lambda m, t: m.save(written(t / "a", b"")), WeightsError, "save to another path"),
    ("save below a file", lambda m, t: m.save(written(t / "a", b"") / "b"), WeightsError, "cannot save to"),
    ("data set 5", lambda m, t: zoo.dataset(5), UnknownNameError, "no data set"),
    ("load 5", lambda m, t: zoo.load(5), UnknownNameError, "neither a folder"),
    ("device a list", lambda m, t: m.to([]), DeviceError, "is not a device"),
    ("device None", lambda m, t: m.to(None), DeviceError, "is not a device"),
    ("reset seed negative", lambda m, t: m.reset(-1), ConfigError, "at least 0"),
    ("reset seed text", lambda m, t: m.reset("a"), ConfigError, "seed is a whole"),
    ("recipe a dict", lambda m, t: fit(m, recipe={"lr": 1}), ConfigError, "no recipe"),
    (
        "unknown monitor",
        lambda m, t: fit(m, monitor="val_acuracy", validation=0.5, keep="best"),
        ConfigError,
        "is not a column of the history",
    ),
    (
        "monitor without validation",
        lambda m, t: fit(m, patience=2),
        ConfigError,
        "give fit a validation set or fraction",
    ),
    (
        "monitor that nothing reads",
        lambda m, t: fit(m, monitor="loos", schedule="plateau"),
        ConfigError,
        "is not a column of the history",
    ),
    (
        "loader: labels beyond in a later batch",
        lambda m, t: fit(m, loader(labels=torch.tensor([0] * 16 + [10] * 4))),
        LabelError,
        "0..9",
    ),
    ("loader: endless", lambda m, t: fit(m, Batches(cycle(loader()))), SourceError, "correct its length"),
    (
        "loader: used up in the second epoch",
        lambda m, t: fit(m, Batches(iter(loader()), length=5), epochs=2),
        SourceError,
        "used up after one epoch",
    ),
    (
        "loader: validation labels beyond",
        lambda m, t: fit(m, validation=loader(labels=torch.full((20,), 10))),
        LabelError,
        "0..9",
    ),
    (
        "stream: evaluate labels beyond",
        lambda m, t: m.evaluate(ExternalLoader(loader(labels=torch.full((20,), 10)))),
        LabelError,
        "0..9",
    ),
    ("evaluate top 0", lambda m, t: m.evaluate((GREY, LABELS), top_k=0), ConfigError, "top"),
    ("top True", lambda m, t: m.classify(GREY, top_k=True), ConfigError, "top"),
    ("save to 5", lambda m, t: m.save(5), WeightsError, "save"),
    ("save to a long name", lambda m, t: m.save(t / ("a" * 300)), WeightsError, "save"),
    ("huge seed in config.json", lambda m, t: zoo.load(saved(m, t / "m", edit(seed=2**70))), WeightsError, "seed"),
    (
        "size in config.json that the net does not take",
        lambda m, t: zoo.load(saved(m, t / "m", edit(preprocessing={"size": [9, 9]}))),
        WeightsError,
        "size",
    ),
]


def small_loader():
    images = zoo.dataset("fashion-mnist-7x7").test.take(20)
    return zoo.Loader(images, batch_size=64, drop_last=True)


def truncated_idx(folder: Path) -> Path:
    header = bytes([0, 0, 8, 3]) + b"".join(side.to_bytes(4, "big") for side in (20, 7, 7))
    written(folder / "train-images-idx3-ubyte", header + b"1234")
    return written(folder / "train-labels-idx1-ubyte", bytes([0, 0, 8, 1, 0, 0, 0, 20]) + bytes(20)).parent


@pytest.fixture
def model():
    return zoo.create("gcn-7x7", seed=0)


def check(model, call, tmp_path, error, words) -> None:
    """Check the error of a call, and that the model's weights are bitwise the same and it still predicts."""
    before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    answers = model.predict(GREY)

    with pytest.raises(ZooError) as raised:
        call(model, tmp_path)

    assert isinstance(raised.value, error), repr(raised.value)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.net.state_dict().items())
    assert not model.net.training
    assert len(model.history) == 0
    assert np.array_equal(model.predict(GREY), answers)


@pytest.mark.parametrize(("call", "error", "words"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_mistake_is_a_typed_error_that_says_what_to_do(model, call, error, words, tmp_path, monkeypatch):
    monkeypatch.setattr(iterables, "MAX_IMAGES", 1000)  # an endless iterator ends sooner

    check(model, call, tmp_path, error, words)


def test_the_table_is_long_enough_and_its_names_are_unique():
    names = [case[0] for case in CASES]

    assert len(set(names)) == len(names) >= 40


def test_a_loss_that_is_not_finite_says_what_to_try(model):
    with pytest.raises(TrainingError, match=r"try a lower lr, clip=1\.0"):
        fit(model, optimizer="sgd", lr=1e30, epochs=3)

    assert np.isfinite(model.reset(0).predict_proba(GREY)).all()


COMMANDS = [
    ("unknown model", ["fit", "gcn7x7", "fashion-mnist-7x7"], "did you mean gcn-7x7"),
    ("unknown data set", ["fit", "gcn-7x7", "fashion-mnst"], "did you mean fashion-mnist"),
    ("missing folder", ["fit", "gcn-7x7", "./gone"], "no folder or file gone"),
    ("folder without images", ["fit", "gcn-7x7", "./empty"], "make one sub-folder per class"),
    ("epochs 0", ["fit", "gcn-7x7", "./set.npz", "--epochs", "0"], "epochs is a whole number at least 1"),
    ("lr negative", ["fit", "gcn-7x7", "./set.npz", "--set", "lr=-1"], "lr is a number above 0"),
    ("unknown field", ["fit", "gcn-7x7", "./set.npz", "--set", "epoch=1"], "did you mean epochs?"),
    ("unknown option", ["fit", "gcn-7x7", "./set.npz", "--config", "width=1"], "takes no 'width'"),
    ("unknown recipe", ["fit", "gcn-7x7", "./set.npz", "--recipe", "fast"], "it has tuned"),
    ("too small", ["fit", "cnn-deep", "./set.npz", "--config", "size=3"], "at least 8 x 8 pixels"),
    ("classes", ["fit", "gcn-7x7", "./set.npz", "--config", "classes=3"], "create it with classes=10"),
    ("no such GPU", ["fit", "gcn-7x7", "./set.npz", "--device", "cuda:99"], "use device='cpu'"),
    ("seed of a saved model", ["fit", "./model", "./set.npz", "--seed", "1"], "a saved model keeps its own"),
    ("predict with a bare name", ["predict", "model", "a.png"], "such as './model'"),
    ("predict a missing file", ["predict", "./model", "gone.png"], "no file gone.png"),
    ("predict a text file", ["predict", "./model", "notes.png"], "notes.png is not an image that can be read"),
    ("predict an empty folder", ["predict", "./model", "./empty"], "holds no image files"),
    ("predict with a damaged model", ["predict", "./damaged", "a.png"], "is damaged or was changed"),
    ("predict on nonsense", ["predict", "./model", "a.png", "--device", "gpu"], "is not a device"),
    ("evaluate without test images", ["evaluate", "./model", "./set.npz"], "has no test part"),
    ("evaluate a data set not here", ["evaluate", "./model", "mnist"], "set ZOO_DATA"),
    ("data misspelt", ["data", "mnst"], "did you mean mnist"),
    ("info misspelt", ["info", "gcn7x7"], "did you mean gcn-7x7"),
    ("experiment misspelt", ["experiment", "run", "paper1-7x8"], "did you mean paper1-7x7"),
]

USAGE = [
    ["fit", "gcn-7x7"],
    ["fit", "gcn-7x7", "fashion-mnist-7x7", "--epochs", "many"],
    ["fit", "gcn-7x7", "fashion-mnist-7x7", "--seed", "-1"],
    ["fit", "gcn-7x7", "fashion-mnist-7x7", "--set", "lr"],
    ["predict", "./model", "a.png", "--top", "0"],
    ["predict", "./model"],
    ["evaluate", "./model", "mnist", "--part", "all"],
    ["lst"],
    ["list", "cellar", "gcn-7x7"],
    ["list", "--no-such-flag"],
]


@pytest.fixture
def desk(model, tmp_path, monkeypatch):
    """Work in a folder with a data set, a saved model, a damaged one, a picture, and a text that says it is one."""
    np.savez(tmp_path / "set.npz", x=GREY, y=LABELS)
    saved(model, tmp_path / "model")
    saved(model, tmp_path / "damaged", flip_byte)
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(words) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(("words", "told"), [pytest.param(*case[1:], id=case[0]) for case in COMMANDS])
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_1(desk, capsys, words, told):
    before = sorted(path.name for path in desk.iterdir())

    code = ran(words)

    shown = capsys.readouterr()
    assert code == 1
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("error: ")
    assert told in shown.err
    assert "unexpected" not in shown.err
    assert "Traceback" not in shown.err + shown.out
    assert sorted(path.name for path in desk.iterdir()) == before


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_usage_is_exit_code_2(desk, capsys, words):
    assert ran(words) == 2

    shown = capsys.readouterr()
    assert "Usage: zoo" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("words", [["--debug", "info", "gcn7x7"], ["info", "gcn7x7", "--debug"]], ids=" ".join)
def test_debug_shows_the_traceback(capsys, words):
    assert ran(words) == 1

    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert shown.splitlines()[-1].startswith("error: ")


def test_a_real_process_ends_the_same_way(desk):
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "predict", "./model", "gone.png"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: no file gone.png\n"
