from __future__ import annotations

import gc
import gzip
import hashlib
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
import torchvision

import zoo
from zoo.data.readers import locations
from zoo.errors import SourceError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # torchvision keeps the reply of a 404 open

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 10


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words) -> None:
        """Print nothing."""


@contextmanager
def served(folder):
    """Serve a folder on loopback and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def idx_gz(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return gzip.compress(header + array.tobytes())


@pytest.fixture
def shop(tmp_path):
    """Return a folder to serve, with the four files of a tiny Fashion-MNIST."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx_gz(PIXELS))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx_gz(LABELS))
    return folder


@pytest.fixture(autouse=True)
def swept():
    """Collect the files that torchvision's downloader leaves open, and ignore the warnings about them."""
    yield
    gc.collect()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return an empty folder that ZOO_DATA points at."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ZOO_DATA", str(folder))
    return folder


@pytest.fixture
def fashion(shop, monkeypatch):
    """Let torchvision's FashionMNIST accept the tiny files, and return a function that sets its address."""
    sums = [(file.name, hashlib.md5(file.read_bytes()).hexdigest()) for file in sorted(shop.iterdir())]
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", sums)
    return lambda address: monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", [address])


def test_fashion_mnist_is_downloaded_where_it_is_missing_and_found_there_afterwards(shop, home, fashion):
    with served(shop) as address:
        fashion(address)
        sets = zoo.dataset("fashion-mnist", download=True)

    for part in (sets.train, sets.test, zoo.dataset("fashion-mnist").test):
        assert np.array_equal(part.images[:, 0].numpy(), PIXELS)
        assert np.array_equal(part.labels.numpy(), LABELS)
        assert part.classes.names[0] == "T-shirt/top"
    assert (home / "FashionMNIST" / "raw").is_dir()


def test_a_server_without_the_files_is_an_error_and_a_later_download_works(shop, home, fashion, tmp_path):
    (tmp_path / "empty").mkdir()
    with served(tmp_path / "empty") as address:
        fashion(address)
        with pytest.raises(SourceError, match=r"torchvision:FashionMNIST cannot be read from .*; the download failed"):
            zoo.dataset("fashion-mnist", download=True)

    with served(shop) as address:
        fashion(address)
        assert len(zoo.dataset("fashion-mnist", download=True).train) == 20


def test_a_download_cut_off_in_the_middle_is_finished_by_the_next(shop, home, fashion):
    labels = shop / "train-labels-idx1-ubyte.gz"
    whole = labels.read_bytes()
    labels.unlink()
    with served(shop) as address:
        fashion(address)
        with pytest.raises(SourceError, match="the download failed"):
            zoo.dataset("fashion-mnist", download=True)

        labels.write_bytes(whole)
        assert len(zoo.dataset("fashion-mnist", download=True).train) == 20


def test_a_file_with_another_checksum_is_an_error(shop, home, fashion):
    (shop / "train-labels-idx1-ubyte.gz").write_bytes(idx_gz(LABELS[::-1]))

    with served(shop) as address:
        fashion(address)
        with pytest.raises(SourceError, match="the download failed"):
            zoo.dataset("fashion-mnist", download=True)


def test_no_server_is_an_error(home, fashion):
    with served(".") as address:
        fashion(address)

    with pytest.raises(SourceError, match="the download failed"):
        zoo.dataset("fashion-mnist", download=True)


def test_a_data_set_on_this_machine_is_not_downloaded(shop, home, fashion):
    fashion("http://127.0.0.1:9/")
    home.mkdir()
    shop.rename(home / "fashion-mnist")

    assert len(zoo.dataset("fashion-mnist", download=True).train) == 20


def test_a_data_set_of_torchvision_is_read_by_its_class_name(shop, home, fashion):
    with served(shop) as address:
        fashion(address)
        sets = zoo.dataset("torchvision:FashionMNIST", download=True)
        train = sets.train

    assert np.array_equal(train.images[:, 0].numpy(), PIXELS)
    assert torch.equal(train.labels, torch.from_numpy(LABELS).long())
    assert train.name == "FashionMNIST/train"


def test_a_missing_data_set_of_torchvision_says_how_to_download_it(home):
    with pytest.raises(SourceError, match=r"download it with zoo\.dataset\('torchvision:CIFAR10', download=True\)"):
        _ = zoo.dataset("torchvision:CIFAR10").train


@pytest.mark.parametrize(("name", "words"), [("CIFAR11", "did you mean CIFAR10"), ("", "no data set"), ("os", "no")])
def test_a_name_that_torchvision_does_not_know_is_refused(name, words):
    with pytest.raises(UnknownNameError, match=words):
        zoo.dataset(f"torchvision:{name}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FakeData", "takes no folder; create it yourself"),
        ("CocoDetection", "also needs annFile"),
        ("DatasetFolder", "also needs loader"),
        ("EMNIST", "EMNIST cannot be read|also needs"),
        ("ImageFolder", "cannot be read from"),
    ],
)
def test_a_data_set_that_takes_more_than_a_folder_says_so(home, name, words):
    with pytest.raises(SourceError, match=words):
        _ = zoo.dataset(f"torchvision:{name}").train


@pytest.mark.parametrize("layout", ["fashion-mnist", "FashionMNIST/raw", "FashionMNIST"])
def test_the_files_are_found_in_their_own_folder_and_in_the_layout_of_torchvision(shop, home, layout):
    (home / layout).parent.mkdir(parents=True)
    shop.rename(home / layout)

    assert len(zoo.dataset("fashion-mnist").test) == 20


def test_shared_folders_are_searched_last(shop, home, tmp_path, monkeypatch):
    (tmp_path / "share").mkdir()
    shop.rename(tmp_path / "share" / "fashion-mnist")
    monkeypatch.setattr(locations, "SHARED_FOLDERS", (tmp_path / "share",))

    assert len(zoo.dataset("fashion-mnist").test) == 20


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist", "cifar10-jpeg"])
def test_a_missing_data_set_names_the_searched_folders_and_what_to_do(home, name):
    with pytest.raises(SourceError) as raised:
        _ = zoo.dataset(name).train

    assert str(home) in str(raised.value)
    assert "ZOO_DATA" in str(raised.value)
    assert f"no folder {name}" in str(raised.value)


def test_a_folder_that_lacks_a_file_is_named(shop, home):
    (shop / "train-labels-idx1-ubyte.gz").unlink()
    home.mkdir()
    shop.rename(home / "fashion-mnist")

    with pytest.raises(SourceError, match="has no train-labels-idx1-ubyte"):
        _ = zoo.dataset("fashion-mnist").train


def test_downloads_go_to_the_cache_without_zoo_data(monkeypatch, tmp_path):
    monkeypatch.delenv("ZOO_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert locations.get_download_folder() == tmp_path / "zoo" / "data"
