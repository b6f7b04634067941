"""Test that sets on disk train to the same weights as sets in memory."""

import io

import pytest
import torch
from PIL import Image

import zoo
from zoo.data.lazy import SHUFFLE_WINDOW, LazyImages
from zoo.data.readers import on_disk as disk
from zoo.errors import ImageError, SourceError, WeightsError
from zoo.files import safetensors_rows as mapping
from zoo.files.safetensors import read_tensors
from zoo.files.safetensors_header import parse_header, parse_header_length

HOW = {"epochs": 2, "batch_size": 32, "progress": False, "device": "cpu"}


@pytest.fixture
def file(small, tmp_path):
    path = tmp_path / "small.safetensors"
    parts = zip(small.images.split(64), small.labels.split(64), strict=True)
    disk.write_image_batches(path, parts, len(small), shape=(1, 7, 7), classes=small.classes)
    return path


@pytest.fixture
def folder(small, tmp_path):
    """Write the small images as image files, in one folder per class."""
    for number, (image, label) in enumerate(zip(small.images, small.labels.tolist(), strict=True)):
        place = tmp_path / "pictures" / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(place / f"{number:03d}.png")
    return tmp_path / "pictures"


@pytest.fixture
def shards(small, tmp_path):
    """Write the small images as two Parquet files of small row groups."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    place = tmp_path / "shards"
    place.mkdir()
    for number, part in enumerate((small[:120], small[120:])):
        rows = [{"bytes": encoded(image), "path": ""} for image in part.images]
        table = pa.table({"image": rows, "label": part.labels.tolist()})
        pq.write_table(table, place / f"train-{number}.parquet", row_group_size=7)
    return place


def encoded(image):
    out = io.BytesIO()
    Image.fromarray(image[0].numpy()).save(out, "png")
    return out.getvalue()


def weights(data, **how):
    model = zoo.create("gcn-7x7", seed=0).fit(data, **{**HOW, **how})
    return torch.cat([weight.detach().flatten() for weight in model.net.parameters()])


def test_a_file_trains_to_the_weights_of_the_set_in_memory(file, small):
    lazy = zoo.dataset(file, lazy=True).train
    assert isinstance(lazy.images, LazyImages)
    assert lazy == small
    assert lazy.moments() == small.moments()
    for how in ({}, {"validation": 0.2, "augment": ("flip",)}):
        assert torch.equal(weights(lazy, **how), weights(small, **how))


def test_parts_of_a_file_stay_on_disk(file, small):
    lazy = zoo.dataset(file, lazy=True).train
    lazy_remaining, lazy_held_out = lazy.split(0.25, seed=3)
    remaining, held_out = small.split(0.25, seed=3)
    assert isinstance(lazy_remaining.images, LazyImages)
    assert lazy_remaining == remaining
    assert lazy_held_out == held_out
    assert torch.equal(lazy[[5, 3]].images.index_select(0, torch.tensor([1])), small.images[3:4])
    assert torch.equal(lazy.images[-1], small.images[-1])
    assert torch.equal(lazy.resize(3).images, small.resize(3).images)


def test_what_is_written_row_by_row_is_a_safetensors_file(file, small):
    tensors, _ = read_tensors(file)
    assert torch.equal(tensors["train.images"], small.images)
    assert zoo.dataset(file).train == small
    data = file.read_bytes()
    length = parse_header_length(data[:8], len(data), name="it")
    assert parse_header(data[8 : 8 + length], len(data), name="it").entries["train.images"].start % 8 == 0


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_a_cut_file_is_refused(file, cut):
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(SourceError, match="not an image set that can be read lazily"):
        zoo.dataset(file, lazy=True).train  # noqa: B018


def test_fewer_images_than_announced_are_refused_and_nothing_is_left(small, tmp_path):
    with pytest.raises(WeightsError, match="is incomplete"):
        disk.write_image_batches(
            tmp_path / "x.safetensors", [(small.images, small.labels)], 201, shape=(1, 7, 7), classes=small.classes
        )
    with pytest.raises(ImageError, match=r"not \(1, 8, 8\)"):
        disk.write_image_batches(
            tmp_path / "x.safetensors", [(small.images, small.labels)], 200, shape=(1, 8, 8), classes=small.classes
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_cut_after_opening_is_an_error(file):
    lazy = zoo.dataset(file, lazy=True).train
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(WeightsError, match="has become shorter since it was opened"):
        weights(lazy)


def test_rows_that_follow_each_other_are_read_at_once(file, small, monkeypatch):
    reads = []
    lazy = zoo.dataset(file, lazy=True).train
    whole = mapping.RowReader._read_into
    monkeypatch.setattr(mapping.RowReader, "_read_into", lambda self, *how: reads.append(how) or whole(self, *how))
    places = [3, 4, 5, 9, 2, 3, 199]
    assert torch.equal(lazy.images.index_select(0, torch.tensor(places)), small.images[places])
    assert len(reads) == 4


def test_a_system_that_cannot_read_at_an_offset_seeks(file, small, monkeypatch):
    monkeypatch.delattr("os.preadv")
    assert zoo.dataset(file, lazy=True).train == small


def test_a_folder_of_pictures_trains_to_the_weights_of_the_set_in_memory(folder):
    memory, lazy = zoo.dataset(folder).train, zoo.dataset(folder, lazy=True).train
    assert isinstance(lazy.images, LazyImages)
    assert lazy == memory
    assert torch.equal(weights(lazy), weights(memory))
    assert zoo.dataset(folder, lazy=True, size=5).train == zoo.dataset(folder, size=5).train


def test_a_picture_of_another_size_is_named(folder):
    Image.new("L", (9, 9)).save(folder / "3" / "999.png")
    with pytest.raises(ImageError, match=r"999\.png"):
        weights(zoo.dataset(folder, lazy=True).train)


def test_parquet_is_read_by_row_groups_and_holds_the_same_images(shards):
    memory, lazy = zoo.dataset(shards).train, zoo.dataset(shards, lazy=True).train
    assert isinstance(lazy.images, LazyImages)
    assert lazy == memory
    assert torch.isfinite(weights(lazy)).all()
    assert torch.equal(weights(lazy), weights(lazy))


def test_an_epoch_over_blocks_sees_each_image_once_and_each_window_together(shards):
    lazy = zoo.dataset(shards, lazy=True).train
    loader = zoo.Loader(lazy, batch_size=16, seed=0)
    orders = [torch.cat([loader.batch_indices(epoch, step) for step in range(len(loader))]) for epoch in (0, 1)]
    blocks = torch.arange(18).repeat_interleave(7)[:120]
    blocks = torch.cat([blocks, 18 + torch.arange(12).repeat_interleave(7)[:80]])
    for order in orders:
        assert order.sort().values.tolist() == list(range(200))
        seen = blocks[order].tolist()
        spans = [len(seen) - seen[::-1].index(block) - seen.index(block) for block in set(seen)]
        assert max(spans) <= SHUFFLE_WINDOW * 7
    assert orders[0].tolist() != orders[1].tolist()


@pytest.mark.parametrize("name", ["fashion-mnist-7x7", "./nothing", "./train.npz"])
def test_a_source_that_cannot_be_read_lazily_is_refused(name):
    with pytest.raises(SourceError, match=r"laz(il)?y"):
        zoo.dataset(name, lazy=True)


@pytest.mark.parametrize("what", ["folder", "shards", "file"])
def test_fingerprints_of_sets_on_disk_differ_without_decoding(what, request, monkeypatch):
    place = request.getfixturevalue(what)

    def identity():
        return zoo.dataset(place, lazy=True).train.source_fingerprint()

    images = zoo.dataset(place, lazy=True).train
    monkeypatch.setattr(disk, "stack_images", lambda *_: pytest.fail("it decodes"))
    assert images.source_fingerprint() == identity()
    assert len({images.source_fingerprint(), images[1:].source_fingerprint(), images[:-1].source_fingerprint()}) == 3
    before, changed = images.source_fingerprint(), next(path for path in [place, *place.rglob("*.*")] if path.is_file())
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(bytes(data))
    assert images.source_fingerprint() != before
