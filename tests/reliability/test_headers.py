"""Lines 3 and 5: crafted safetensors files are refused before they cost time or memory."""

import shutil

import crafted_files
import helpers
import pytest

import zoo
from tests.support.artifacts import make_weights_file, write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability
SECONDS, EXTRA = 0.05, 50 << 20


@pytest.fixture(scope="module")
def marker(tmp_path_factory):
    return tmp_path_factory.mktemp("marker") / "opened"


@pytest.fixture(scope="module")
def crafted(marker):
    return crafted_files.make_crafted_files(marker)


def check_refusals(results, marker, label):
    """Check that each file was refused quickly and without much memory; print the worst."""
    for name, each in results.items():
        assert each["message"], f"{name} was loaded"
        assert len(each["message"]) < 2000, f"{name}: {len(each['message'])} characters of error"
        assert each["seconds"] < SECONDS, (name, each)
        assert each["extra"] < EXTRA, (name, each)
    assert not marker.exists()
    slowest = max(results, key=lambda name: results[name]["seconds"])
    largest = max(results, key=lambda name: results[name]["extra"])
    print(
        f"{label}: {len(results)} crafted files, {len(results)} refused; the slowest in "
        f"{results[slowest]['seconds'] * 1000:.1f} ms ({slowest}), the largest with "
        f"{results[largest]['extra'] / 2**20:.1f} MB ({largest})"
    )


@pytest.mark.parametrize("method", ["read_tensors", "zoo.load"])
def test_line_3_a_crafted_file_is_refused_at_once(method, crafted, marker, run_forked, pristine, tmp_path):
    for name, data in crafted.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
    results = run_forked("measure_loads", tmp_path, method, pristine)
    assert len(results) == len(crafted) >= 40
    check_refusals(results, marker, method)


def test_line_3_a_crafted_file_is_refused_in_a_folder_with_matching_hashes(
    crafted, marker, run_forked, pristine, tmp_path
):
    for name, data in crafted.items():
        write_weights(shutil.copytree(pristine, tmp_path / name), data)
    check_refusals(
        run_forked("measure_loads", tmp_path, "zoo.load", pristine), marker, "in a folder with matching hashes"
    )


def test_lines_3_and_5_a_refused_load_leaves_the_model_unchanged(crafted, folder, target):
    before = helpers.hash_model(target)
    for data in crafted.values():
        write_weights(folder, data)
        for reference in (folder, folder / "model.safetensors"):
            with pytest.raises(WeightsError):
                target.load_weights(reference)
    assert helpers.hash_model(target) == before
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    print(f"{2 * len(crafted)} loads refused, model unchanged, and trained on")


def test_line_3_the_most_tensors_that_fit_a_header_are_refused_in_a_second(run_forked, pristine, tmp_path):
    data = make_weights_file(crafted_files.make_header(6_600))  # a valid file of 1 MB that zoo did not write
    (tmp_path / "tensors.safetensors").write_bytes(data)
    result = run_forked("measure_loads", tmp_path, "zoo.load", pristine)["tensors"]
    assert "zoo did not save it" in result["message"]
    assert result["seconds"] < 1
    assert result["extra"] < EXTRA
    print(f"6,600 tensors in {len(data):,} bytes: refused in {result['seconds'] * 1000:.0f} ms")
