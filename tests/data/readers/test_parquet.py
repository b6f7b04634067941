from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import zoo
from zoo.errors import ImageError, LabelError, SourceError

LEVELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def png(levels):
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def write(path, *, levels=LEVELS, labels=(0, 1, 2, 0, 1, 2), names=("ant", "bee", "cow"), image="image", label="label"):
    """Write a shard as the `datasets` library does: image structs, and class names in the schema's metadata."""
    structs = [{"bytes": png(each), "path": f"{number}.png"} for number, each in enumerate(levels)]
    table = pa.table({image: structs, label: list(labels)})
    if names:
        about = {
            "info": {"features": {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}}
        }
        table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("inner", ["", "data"])
def test_shards_are_read_in_order_with_their_class_names(tmp_path, inner):
    write(tmp_path / inner / "train-00000-of-00002.parquet", levels=LEVELS[:4], labels=[2, 1, 0, 2])
    write(tmp_path / inner / "train-00001-of-00002.parquet", levels=LEVELS[4:], labels=[1, 1])
    write(tmp_path / inner / "test-00000-of-00001.parquet")

    sets = zoo.dataset(tmp_path)

    assert np.array_equal(sets.train.images[:, 0].numpy(), LEVELS)
    assert sets.train.labels.tolist() == [2, 1, 0, 2, 1, 1]
    assert sets.train.classes.values == (0, 1, 2)
    assert sets.train.classes.names == ("ant", "bee", "cow")
    assert len(sets.test) == 6


@pytest.mark.parametrize(("image", "label"), [("img", "label"), ("image", "fine_label"), ("image", "labels")])
def test_columns_may_have_other_names(tmp_path, image, label):
    assert len(zoo.dataset(write(tmp_path / "a.parquet", image=image, label=label)).train) == 6


def test_labels_may_be_strings(tmp_path):
    images = zoo.dataset(write(tmp_path / "a.parquet", labels=list("babbab"), names=())).train

    assert images.classes.values == ("a", "b")


def test_grey_and_colour_rows_make_a_colour_set(tmp_path):
    levels = [*LEVELS[:5], np.zeros((5, 4, 3), np.uint8)]

    assert zoo.dataset(write(tmp_path / "a.parquet", levels=levels)).train.channels == 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"image": "photo"}, SourceError, "no column image or img; it has photo, label"),
        ({"label": "kind"}, SourceError, "no column label or labels or fine_label"),
        ({"labels": [0, 1, 2, 3, 0, 0]}, LabelError, "3 class names"),
        ({"labels": [0, 1, 2, -1, 0, 0]}, LabelError, "-1..2"),
        ({"labels": [0, 1, 2, None, 0, 0]}, LabelError, "labels are"),
        ({"levels": [], "labels": []}, SourceError, "has no rows"),
        ({"levels": [*LEVELS[:5], np.zeros((9, 9), np.uint8)]}, ImageError, "read them at one size"),
    ],
    ids=["image column", "label column", "label beyond", "label -1", "label null", "no rows", "two sizes"],
)
def test_a_shard_that_cannot_be_used_says_why(tmp_path, change, error, words):
    path = write(tmp_path / "a.parquet", **change)

    with pytest.raises(error, match=words):
        _ = zoo.dataset(path).train


def test_a_row_that_is_not_an_image_is_named(tmp_path):
    rows = [{"bytes": png(LEVELS[0]), "path": ""}, {"bytes": b"no image", "path": ""}]
    pq.write_table(pa.table({"image": rows, "label": [0, 1]}), tmp_path / "a.parquet")

    with pytest.raises(ImageError, match=r"a\.parquet, row 1 is not an image"):
        _ = zoo.dataset(tmp_path / "a.parquet").train


def test_a_row_without_bytes_is_named(tmp_path):
    pq.write_table(pa.table({"image": [{"bytes": None, "path": "x.png"}], "label": [0]}), tmp_path / "a.parquet")

    with pytest.raises(SourceError, match="row 0 holds no image bytes"):
        _ = zoo.dataset(tmp_path / "a.parquet").train


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_truncated_shard_is_an_error(tmp_path, share):
    path = write(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(SourceError, match="not a Parquet file that can be read"):
        _ = zoo.dataset(path).train


def test_a_missing_part_is_named(tmp_path):
    write(tmp_path / "train.parquet")

    with pytest.raises(SourceError, match=r"has no test\*\.parquet"):
        _ = zoo.dataset(tmp_path).test


@pytest.mark.data
def test_the_full_cifar10_shards_are_read(full_data):
    test = zoo.dataset("cifar10-jpeg").test

    assert (len(test), test.channels, test.size) == (10_000, 3, (32, 32))
    assert set(test.counts.values()) == {1000}
    assert test.classes.names[0] == "airplane"
