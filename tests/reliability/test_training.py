"""Lines 12 to 16: training that is killed, stopped or damaged ends in the bits it would have ended in."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import bar
import pytest

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks"),
]
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def trained():
    """Return what calls a function of `accidents` or `ranks` in a process that forks; it is started but once."""
    server = bar.process("import accidents, courses, ranks; courses.serve(accidents, ranks)")

    def called(name, *words):
        print(json.dumps([name, words], default=str), file=server.stdin, flush=True)
        told = json.loads(server.stdout.readline())
        assert told is not None, f"{name} failed: see its errors above"
        return told

    yield called
    server.stdin.close()
    server.stdout.close()
    server.wait()


@pytest.fixture
def place():
    """Return a folder in memory where there is one: these tests are about kills, and a disk would be what they time."""
    folder = tempfile.mkdtemp(prefix="zoo-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    yield folder
    shutil.rmtree(folder)


def test_line_12_a_run_that_is_killed_ends_in_the_same_bits(trained, place):
    runs, wanted = (40, 50) if bar.LONG else (8, 12)
    start = time.perf_counter()
    found = trained("kills", place, runs, wanted)
    seconds = time.perf_counter() - start
    assert found["killed"] >= wanted
    assert seconds <= 60 or not bar.LONG
    assert found["runs"] >= runs
    assert found["identical"] == found["runs"]
    print(f"4 families, {found['killed']} SIGKILLs over {found['runs']} runs, all bit-identical, {seconds:.0f} s")


def test_line_13_a_run_that_is_stopped_keeps_the_step_and_ends_in_the_same_bits(trained, place):
    points = 20 if bar.LONG else 8
    found = trained("stops", place, points)
    assert found["codes"] == [130, 143] * (points // 2)
    assert found["at the step"] == found["identical"] == points
    print(f"{points} points, SIGINT 130 and SIGTERM 143, checkpoint at the step, {found['identical']} bit-identical")


def test_a_second_signal_ends_at_once_and_going_on_is_exact(trained, place):
    first, second = trained("stopped_at_once", place)
    assert first == [130, "00001-00000000", "interrupted", "stopped at once by a second signal", True]
    assert second == [-15, "00001-00000000", "running", "", True]


def test_line_14_forgetting_a_part_of_the_state_shows(trained, place):
    found = trained("controls", place)
    differs = {name for name, is_other in found.items() if is_other}
    assert differs == {name for name in found if not name.endswith("nothing")}
    print(f"{len(differs)} of {len(differs)} controls differ: random state, optimizer and step, in 3 families")


def test_line_15_a_damaged_checkpoint_falls_back_to_the_one_before(trained, place):
    assert trained("damages", place, 30) == {"cases": 30, "fell back": 30, "warned": 30}
    print("30 of 30 damages (truncated, flipped, missing) fell back with a warning")


def test_line_15_going_on_after_damage_ends_in_the_same_bits_and_never_begins_anew(trained, place):
    is_same, refused, is_untouched = trained("fallen_back", place)
    assert is_same
    assert refused.startswith("WeightsError: all 2 checkpoints in")
    assert "zoo does not start over by itself" in refused
    assert is_untouched


def test_line_16_the_order_is_the_seeds_with_one_and_two_workers(trained, place):
    assert len(set(trained("same_order", place, [0, 1, 2, 1]))) == 1


def test_line_16_another_training_is_refused_by_what_differs(trained, place):
    told = trained("others", place)
    said = {
        "lr": "recipe lr was 0.001 and is 0.5",
        "epochs": "recipe epochs was 3 and is 9",
        "batch_size": "recipe batch_size was 32 and is 16",
        "accumulate": "recipe accumulate was 2 and is 1",
        "recipe seed": "recipe seed was None and is 5",
        "validation data": "validation data",
        "training data": "training data number was 167 and is 166",
        "a pixel": "training data sha256 was",
        "model": "model was 'dropped' and is 'gcn-7x7'",
        "seed": "seed was 0 and is 1",
        "version": "torch was",
        "callbacks": "recipe ema was 0.9 and is 0.0",
        "resume=False": "holds a run with",
    }
    for name, text in said.items():
        assert told[name].startswith("ConfigError"), (name, told[name])
        assert text in told[name], (name, told[name])
    print(f"{len(said)} other trainings refused, each by what differs")


def test_a_full_disk_keeps_training_and_says_so(trained, place):
    epochs, told, names, left = trained("full_disk", place)
    assert epochs == 3
    refused = [text for text in told if "was not written: File too large; training goes on" in text]
    assert len(refused) > 5
    assert all("the newest is" in text for text in refused if "checkpoint" in text.split()[1])
    assert names
    assert set(left) == set(names)


def test_a_stop_whose_step_could_not_be_written_says_so(trained, place):
    told = trained("stopped_on_full_disk", place)
    assert told.startswith("training was stopped after step 3 of epoch 1")
    assert "00000-00000001 is the newest checkpoint, since that step could not be written" in told
