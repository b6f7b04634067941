"""Lines 3 and 5: crafted safetensors files are refused at once, before they cost time or memory."""

import shutil

import bar
import hostile
import pytest

import zoo
from tests.support.artifacts import write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability
SECONDS, EXTRA = 0.05, 50 << 20


@pytest.fixture(scope="module")
def marker(tmp_path_factory):
    return tmp_path_factory.mktemp("marker") / "opened"


@pytest.fixture(scope="module")
def crafted(marker):
    return hostile.crafted(marker)


def judged(results, marker, way):
    """Check that each file was refused in a moment and for nearly nothing, and print the worst."""
    for name, each in results.items():
        assert each["told"], f"{name} was taken"
        assert len(each["told"]) < 2000, f"{name}: {len(each['told'])} letters of error"
        assert each["seconds"] < SECONDS, (name, each)
        assert each["extra"] < EXTRA, (name, each)
    assert not marker.exists()
    slowest = max(results, key=lambda name: results[name]["seconds"])
    largest = max(results, key=lambda name: results[name]["extra"])
    print(
        f"{way}: {len(results)} crafted files, {len(results)} refused; the slowest in "
        f"{results[slowest]['seconds'] * 1000:.1f} ms ({slowest}), the largest with "
        f"{results[largest]['extra'] / 2**20:.1f} MB ({largest})"
    )


@pytest.mark.parametrize("way", ["tensors.read", "zoo.load"])
def test_line_3_a_crafted_file_is_refused_in_a_moment(way, crafted, marker, forged, pristine, tmp_path):
    for name, data in crafted.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
    results = forged("measured", tmp_path, way, pristine)
    assert len(results) == len(crafted) >= 40
    judged(results, marker, way)


def test_line_3_a_crafted_file_is_refused_in_a_folder_whose_hashes_are_good(
    crafted, marker, forged, pristine, tmp_path
):
    for name, data in crafted.items():
        write_weights(shutil.copytree(pristine, tmp_path / name), data)
    judged(forged("measured", tmp_path, "zoo.load", pristine), marker, "in a folder with good hashes")


def test_lines_3_and_5_a_model_stays_as_it_was(crafted, folder, target):
    before = bar.digest(target)
    for data in crafted.values():
        write_weights(folder, data)
        for reference in (folder, folder / "model.safetensors"):
            with pytest.raises(WeightsError):
                target.load_weights(reference)
    assert bar.digest(target) == before
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    print(f"{2 * len(crafted)} loads refused, model unchanged, and trained on")


def test_line_3_the_most_tensors_that_fit_a_header_are_refused_in_a_second(forged, pristine, tmp_path):
    whole = hostile.headed(hostile.many(6_600))  # a good file of 1 MB, which zoo did not write
    (tmp_path / "tensors.safetensors").write_bytes(whole)
    found = forged("measured", tmp_path, "zoo.load", pristine)["tensors"]
    assert "not saved by zoo" in found["told"]
    assert found["seconds"] < 1
    assert found["extra"] < EXTRA
    print(f"6,600 tensors in {len(whole):,} bytes: refused in {found['seconds'] * 1000:.0f} ms")
