from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

import zoo
from zoo.data.readers import idx
from zoo.errors import SourceError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    """Return an array in the IDX format, written from its description and not with zoo."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return header + array.tobytes()


def write(folder, *, packed=False, pixels=PIXELS, labels=LABELS):
    folder.mkdir(parents=True, exist_ok=True)
    for prefix in ("train", "t10k"):
        for name, array in ((f"{prefix}-images-idx3-ubyte", pixels), (f"{prefix}-labels-idx1-ubyte", labels)):
            data = idx_bytes(array)
            (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
    return folder


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("inner", ["", "raw"])
def test_a_folder_is_read_plain_or_packed_and_below_raw(tmp_path, packed, inner):
    write(tmp_path / inner, packed=packed)

    sets = zoo.dataset(tmp_path)

    for part in (sets.train, sets.test):
        assert np.array_equal(part.images[:, 0].numpy(), PIXELS)
        assert np.array_equal(part.labels.numpy(), LABELS)
        assert part.labels.dtype == torch.int64


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 17, -1])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_file_cut_short_is_damaged(tmp_path, length, packed):
    path = write(tmp_path, packed=packed) / ("train-images-idx3-ubyte" + (".gz" if packed else ""))
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(SourceError, match=r"train-images-idx3-ubyte.* (is damaged|is not an IDX file)"):
        _ = zoo.dataset(tmp_path).train


def test_a_file_with_more_than_its_header_says_is_damaged(tmp_path):
    path = write(tmp_path) / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes() + b"!")

    with pytest.raises(SourceError, match="it has 15 bytes, its header says 14"):
        _ = zoo.dataset(tmp_path).train


def test_another_magic_number_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(LABELS))

    with pytest.raises(SourceError, match="begins with 0x00000801, not 0x00000803"):
        _ = zoo.dataset(tmp_path).train


def test_different_counts_are_an_error(tmp_path):
    write(tmp_path, labels=LABELS[:5])

    with pytest.raises(SourceError, match="6 train images and 5 labels"):
        _ = zoo.dataset(tmp_path).train


def test_a_missing_file_is_named(tmp_path):
    (write(tmp_path) / "t10k-labels-idx1-ubyte").unlink()

    assert len(zoo.dataset(tmp_path).train) == 6
    with pytest.raises(SourceError, match=r"has no t10k-labels-idx1-ubyte, nor t10k-labels-idx1-ubyte\.gz"):
        _ = zoo.dataset(tmp_path).test


def test_a_folder_is_whole_with_four_files(tmp_path):
    write(tmp_path, packed=True)
    assert idx.is_complete(tmp_path)

    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    assert not idx.is_complete(tmp_path)


def test_a_packed_file_of_something_else_is_damaged(tmp_path):
    path = write(tmp_path, packed=True) / "train-images-idx3-ubyte.gz"
    path.write_bytes(b"<html>not found</html>")

    with pytest.raises(SourceError, match="is damaged"):
        _ = zoo.dataset(tmp_path).train
