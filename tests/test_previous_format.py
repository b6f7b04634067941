"""Files that the commit before the reorganisation of the packages wrote are read, continued and written as before.

`tests/fixtures/previous` holds them, with `write.py`, which wrote them by the code of that commit, and `expected.json`,
what that code reached when it continued them itself. `replay.py` continues them by the code of today, in a process of
its own with one thread.

Where processor, torch, numpy and llvmlite are those that wrote the fixtures, everything is compared to the last bit: a
training that continues from the stored checkpoint with one that was never interrupted, and both with the stored sha256.
Elsewhere sums are rounded in another order, so that a checkpoint of one machine and a whole training on another cannot
agree in all bits. There losses, learning rates and the norm of the weights agree to 1e-6, and what is written has the
same keys, names, types and shapes. (Simulated with torch's AVX2 and its plain kernels, the difference is up to 3e-7.)
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

FIXTURES = Path(__file__).parent / "fixtures" / "previous"
EXPECTED = json.loads((FIXTURES / "expected.json").read_text())
TOLERANCE = 1e-6
CLOCKS = ("seconds", "images_per_second", "left")
"""Values that depend on the time a training took; `left` is what is left of a time limit."""
OF_THE_MOMENT = ("host", "process", "begun", "updated", "problem")
"""Values of `run.json` that depend on where and when it was written, and the sentence that says why it ended."""
CHECKSUMS = ("seal", "files", "versions")
"""Values that follow from the rest of a file, or from what is installed."""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Return the folder in which the fixtures are continued."""
    return tmp_path_factory.mktemp("previous")


@pytest.fixture(scope="module")
def replayed(work):
    """Continue everything by the code of today, with one thread; return the results."""
    (work / "no-data").mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ZOO_DATA": str(work / "no-data")}
    command = [sys.executable, FIXTURES / "replay.py", work]
    ended = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def is_same_machine(replayed):
    """Return whether results are comparable to the last bit with those of the machine that wrote the fixtures."""
    return replayed["platform"] == EXPECTED["platform"]


@pytest.fixture(scope="module")
def part(replayed):
    """Return what gives one part of the results; one that could not be computed fails with its traceback."""

    def part(*keys):
        result = replayed
        for key in keys:
            result = result[key]
        if "error" in result:
            pytest.fail(result["error"])
        return result

    return part


def check_equal(result, expected, is_same_machine):
    """Check what a training came to: to the last bit on the same machine, else within the tolerance."""
    if is_same_machine:
        assert result == expected
        return
    names = ("weights", "norm", "history", "test")
    assert {key: result[key] for key in result if key not in names} == {
        key: expected[key] for key in expected if key not in names
    }
    assert result["norm"] == pytest.approx(expected["norm"], rel=TOLERANCE)
    check_histories(result["history"], expected["history"])


def check_histories(rows, expected):
    assert [list(row) for row in rows] == [list(row) for row in expected]
    for row, other in zip(rows, expected, strict=True):
        for name in row:
            if "loss" in name or name in ("lr", "epoch"):
                assert row[name] == pytest.approx(other[name], rel=TOLERANCE, abs=TOLERANCE), name


def without(record, names):
    """Return nested JSON with the values of some keys left out; the keys stay."""
    if isinstance(record, dict):
        return {key: None if key in names else without(value, names) for key, value in record.items()}
    return [without(each, names) for each in record] if isinstance(record, list) else record


def shape(record):
    """Return nested JSON without numbers that may differ in their last bits; their types stay."""
    if isinstance(record, dict):
        return {key: shape(value) for key, value in record.items()}
    if isinstance(record, list):
        return [shape(each) for each in record]
    return "float" if isinstance(record, float) else record


def check_json(path, expected_path, is_same_machine, *, names):
    record, expected = (without(json.loads(each.read_text()), names) for each in (path, expected_path))
    assert list(record) == list(expected)
    assert (record == expected) if is_same_machine else (shape(record) == shape(expected))


def check_tensors(path, expected_path, is_same_machine):
    """Check names, types and shapes of the tensors in two safetensors files, and on the same machine their values."""
    record, expected = tensors_in(path), tensors_in(expected_path)
    assert record.keys() == expected.keys()
    for name, (kind, size, digest) in record.items():
        assert (kind, size) == expected[name][:2], name
        assert not is_same_machine or digest == expected[name][2], name


def tensors_in(path):
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is not a dict)
    return {
        name: (str(each.dtype), tuple(each.shape), hashlib.sha256(each.numpy().tobytes()).hexdigest())
        for name, each in tensors.items()
    }


@pytest.mark.parametrize("name", EXPECTED["cases"])
def test_an_interrupted_training_continues_as_if_it_never_was(name, part, is_same_machine):
    results = part("cases", name)
    check_equal(results["continued"], EXPECTED["cases"][name], is_same_machine)
    check_equal(results["whole"], EXPECTED["cases"][name], is_same_machine)
    check_equal(results["continued"], results["whole"], is_same_machine)
    assert not [each for each in results["warnings"] if is_same_machine and "zoo-models was" not in each]


@pytest.mark.parametrize("name", EXPECTED["cases"])
def test_the_same_interruption_writes_the_same_checkpoint(name, part, work, is_same_machine):
    part("cases", name)
    (before,) = (FIXTURES / name / "checkpoints").glob("0*")
    now = work / "interrupted" / name / "checkpoints" / before.name
    check_json(now / "state.json", before / "state.json", is_same_machine, names=(*CLOCKS, *CHECKSUMS))
    check_tensors(now / "state.safetensors", before / "state.safetensors", is_same_machine)
    runs = (each / "run.json" for each in (work / "interrupted" / name, FIXTURES / name))
    check_json(*runs, is_same_machine, names=(*OF_THE_MOMENT, *CHECKSUMS))
    histories = [(each / "history.jsonl").read_text() for each in (work / "interrupted" / name, FIXTURES / name)]
    rows, expected = ([json.loads(line) for line in text.splitlines()] for text in histories)
    check_histories(*([without(row, CLOCKS) for row in each] for each in (rows, expected)))


def test_a_saved_model_loads_and_computes_what_it_did(part, is_same_machine):
    model, expected = part("saved"), EXPECTED["saved"]
    assert {key: model[key] for key in ("weights", "history", "stopped")} == {
        key: expected[key] for key in ("weights", "history", "stopped")
    }
    assert model["problem"] == ""
    assert model["first"] == pytest.approx(expected["first"], abs=TOLERANCE)
    assert not is_same_machine or model["logits"] == expected["logits"]


def test_a_saved_model_is_saved_again_as_it_was(part, work, is_same_machine):
    part("saved")
    names = CHECKSUMS if is_same_machine else (*CHECKSUMS, "golden")  # what the net computes is computed again
    check_json(work / "saved-again" / "config.json", FIXTURES / "saved" / "config.json", True, names=names)
    check_tensors(work / "saved-again" / "model.safetensors", FIXTURES / "saved" / "model.safetensors", True)
    assert (work / "saved-again" / "history.jsonl").read_text() == (FIXTURES / "saved" / "history.jsonl").read_text()


def test_a_card_keeps_the_words_of_its_owner_and_one_part_of_zoo(part, work):
    """The marks around the part that zoo writes are stored: by other marks the old part would stay beside a new one."""
    part("saved")
    card = (work / "saved-noted" / "README.md").read_text()
    assert card.endswith("\nWords of the owner.\n")
    assert card.count("<!-- /zoo -->") == 1
    assert card.count("\n# ") == (FIXTURES / "saved" / "README.md").read_text().count("\n# ") == 1


def test_a_model_trained_and_saved_today_has_the_same_files(part, work, is_same_machine):
    check_equal(
        part("saved", "fresh"),
        {key: EXPECTED["saved"][key] for key in ("weights", "norm", "history", "stopped")},
        is_same_machine,
    )
    names = (*CLOCKS, *CHECKSUMS, "tensors", *(() if is_same_machine else ("torch", "accuracy interval")))
    check_json(work / "saved-fresh" / "config.json", FIXTURES / "saved" / "config.json", is_same_machine, names=names)
    check_tensors(work / "saved-fresh" / "model.safetensors", FIXTURES / "saved" / "model.safetensors", is_same_machine)
    assert sorted(path.name for path in (work / "saved-fresh").iterdir()) == sorted(
        path.name for path in (FIXTURES / "saved").iterdir()
    )


def test_a_run_of_the_shell_is_listed_and_continues_as_if_it_never_was(part, is_same_machine):
    results = part("shell")
    before = json.loads((FIXTURES / "night" / "run.json").read_text())
    listed = results["listed"]
    assert {key: listed[key] for key in before if key not in ("format", "seal")} == {
        key: before[key] for key in before if key not in ("format", "seal")
    }
    assert (listed["state"], listed["resume"]) == ("interrupted", "zoo fit --resume night")
    check_equal(results["continued"], EXPECTED["shell"], is_same_machine)
    check_equal(results["whole"], EXPECTED["shell"], is_same_machine)


def test_a_run_of_the_shell_stores_its_words_under_the_same_keys(part):
    stored = json.loads((FIXTURES / "night" / "run.json").read_text())["command"]
    other = {"every": "epoch", "is_on_disk": False}  # the fixture writes every two steps, and reads from the disk
    assert stored["is_on_disk"] is True
    assert part("shell")["command"] == {**stored, **other}


@pytest.mark.parametrize("name", ["sweep", "experiment"])
def test_a_ledger_counts_and_its_last_cell_comes_out_the_same(name, part, is_same_machine):
    results = part(name)
    assert results["is_unchanged"]
    file = {"sweep": "sweep.jsonl", "experiment": "paper1-7x7.quick.jsonl"}[name]
    stored = [json.loads(line) for line in (FIXTURES / "tables" / file).read_text().splitlines()]
    *cells, last = results["cells"]
    assert [*cells] == stored[:-1]
    names = ("seconds", "images_per_second", "versions")
    if is_same_machine:
        assert without(last, names) == without(stored[-1], names)
    else:
        names = (*names, "device", "weights", "metrics", "confusion")
        assert shape(without(last, names)) == shape(without(stored[-1], names))
        assert last["metrics"].keys() == stored[-1]["metrics"].keys()


def test_a_sweep_ranks_its_stored_trials_as_before(part):
    assert part("sweep")["printed"]["trials"] == EXPECTED["sweep"]["trials"]


def test_all_finished_cells_of_the_tables_still_count(part):
    """Cells whose experiment, row, config or recipe changed its name or a value would count as not run."""
    assert sum(sum(rows.values()) for rows in EXPECTED["tables"].values()) == 225
    counts = part("tables")
    lost = {
        f"{experiment}: {row}": (counts.get(experiment, {}).get(row, 0), num)
        for experiment, rows in EXPECTED["tables"].items()
        for row, num in rows.items()
        if counts.get(experiment, {}).get(row, 0) < num
    }
    assert not lost, "cells that count now, and that counted"


def test_the_weights_that_ship_are_the_same_bytes_and_load_to_the_same_numbers(part):
    table = part("shipped")
    assert {name: table.get(name) for name in EXPECTED["shipped"]} == EXPECTED["shipped"]
