"""Lines 12 to 16: a training that is killed, stopped or damaged ends with the bits of an undisturbed one."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import helpers
import pytest

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks"),
]
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def run_training():
    """Return a function that calls one of `training_faults` or `multi_process` in a server process that forks."""
    server = helpers.start_process(
        "import multi_process, training_faults, training_runs\ntraining_runs.serve(training_faults, multi_process)"
    )

    def call(name, *args):
        print(json.dumps([name, args], default=str), file=server.stdin, flush=True)
        result = json.loads(server.stdout.readline())
        assert result is not None, f"{name} failed: see its errors above"
        return result

    yield call
    server.stdin.close()
    server.stdout.close()
    server.wait()


@pytest.fixture
def root():
    """Return a folder, in memory if possible: these tests are about kills, and a disk would dominate their time."""
    folder = tempfile.mkdtemp(prefix="zoo-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    yield folder
    shutil.rmtree(folder)


def test_line_12_a_killed_run_ends_with_the_same_bits(run_training, root):
    num_runs, num_kills = (40, 50) if helpers.LONG else (8, 12)
    start = time.perf_counter()
    counts = run_training("kill_at_random", root, num_runs, num_kills)
    seconds = time.perf_counter() - start
    assert counts["killed"] >= num_kills
    assert seconds <= 60 or not helpers.LONG
    assert counts["runs"] >= num_runs
    assert counts["identical"] == counts["runs"]
    print(f"4 families, {counts['killed']} SIGKILLs over {counts['runs']} runs, all bit-identical, {seconds:.0f} s")


def test_line_13_a_stopped_run_stores_the_step_and_ends_with_the_same_bits(run_training, root):
    points = 20 if helpers.LONG else 8
    result = run_training("stop_at_steps", root, points)
    assert result["codes"] == [130, 143] * (points // 2)
    assert result["at the step"] == result["identical"] == points
    print(f"{points} points, SIGINT 130 and SIGTERM 143, checkpoint at the step, {result['identical']} bit-identical")


def test_a_second_signal_ends_at_once_and_the_run_resumes_exactly(run_training, root):
    first, second = run_training("stop_at_once", root)
    assert first == [130, "00001-00000000", "interrupted", "stopped at once by a second signal", True]
    assert second == [-15, "00001-00000000", "running", "", True]


def test_line_14_losing_a_part_of_the_state_changes_the_result(run_training, root):
    results = run_training("run_controls", root)
    differs = {name for name, is_different in results.items() if is_different}
    assert differs == {name for name in results if not name.endswith("nothing")}
    print(f"{len(differs)} of {len(differs)} controls differ: random state, optimizer and step, in 3 families")


def test_line_15_a_damaged_checkpoint_falls_back_to_the_one_before(run_training, root):
    assert run_training("damage_newest", root, 30) == {"cases": 30, "fell back": 30, "warned": 30}
    print("30 of 30 damages (truncated, flipped, missing) fell back with a warning")


def test_line_15_resuming_after_damage_ends_with_the_same_bits_and_never_starts_over(run_training, root):
    is_same, message, is_untouched = run_training("resume_after_damage", root)
    assert is_same
    assert message.startswith("WeightsError: all 2 checkpoints in")
    assert "zoo does not start over by itself" in message
    assert is_untouched


def test_line_16_the_order_depends_on_the_seed_and_not_on_the_workers(run_training, root):
    assert len(set(run_training("train_with_workers", root, [0, 1, 2, 1]))) == 1


def test_line_16_another_training_is_refused_with_the_differences(run_training, root):
    messages = run_training("resume_with_changes", root)
    differences = {
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
    for name, text in differences.items():
        assert messages[name].startswith("ConfigError"), (name, messages[name])
        assert text in messages[name], (name, messages[name])
    print(f"{len(differences)} other trainings refused, each with its differences")


def test_a_full_disk_does_not_end_training_but_warns(run_training, root):
    epochs, caught, names, files = run_training("train_on_full_disk", root)
    assert epochs == 3
    messages = [text for text in caught if "was not written: File too large; training goes on" in text]
    assert len(messages) > 5
    assert all("the newest is" in text for text in messages if "checkpoint" in text.split()[1])
    assert names
    assert set(files) == set(names)


def test_a_stop_without_a_checkpoint_of_its_step_is_reported(run_training, root):
    message = run_training("stop_on_full_disk", root)
    assert message.startswith("training was stopped after step 3 of epoch 1")
    assert "00000-00000001 is the newest checkpoint, since that step could not be written" in message
