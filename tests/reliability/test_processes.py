"""Several processes train as one: on gloo, over loopback, each a process of its own."""

import pytest
from test_training import place, trained  # noqa: F401 - fixtures

pytestmark = pytest.mark.reliability


def test_two_processes_end_in_one_net_and_score_as_one_process_does(trained, place):  # noqa: F811
    found = trained("two_as_one", place)
    (first, second), (one,) = found["two"], found["one"]
    assert first["weights"] == second["weights"]
    assert first["history"] == second["history"]
    largest = [apart(first, one), apart(found["gathered"][0], found["whole"][0])]
    assert max(largest) < 1e-5
    print(
        f"two processes: equal weights; scores as one process to {largest[0]:.1e}, with two gathered {largest[1]:.1e}"
    )
    first, second = found["norms"]
    assert (first["history"], first["weights"]) == (second["history"], second["weights"])


def apart(one, other):
    """Return the largest difference between two histories."""
    pairs = zip(one["history"], other["history"], strict=True)
    return max(abs(row[name] - alone[name]) for row, alone in pairs for name in row)


def test_two_stopped_processes_go_on_to_the_same_bits_and_one_says_what_it_keeps(trained, place):  # noqa: F811
    found = trained("stopped_and_resumed_pair", place)
    assert found["codes"] == [143, 143]
    assert found["same"]
    assert [each["weights"] for each in found["again"]] == [each["weights"] for each in found["whole"]]
    assert found["again"][0]["history"] == found["whole"][0]["history"]
    (alone,) = found["alone"]
    assert any("processes was 2 and is 1" in text and "last bits" in text for text in alone["told"])
    assert [row["epoch"] for row in alone["history"]] == [1, 2, 3]
    last, whole = alone["history"][-1], found["whole"][0]["history"][-1]
    assert last["loss"] == pytest.approx(whole["loss"], rel=0.2)


def test_the_other_process_of_one_that_is_killed_ends_with_a_clear_error(trained, place):  # noqa: F811
    code, told, seconds, state = trained("lost", place)
    assert (code, state) == (1, "failed")
    assert told.startswith("TrainingError: process 0 of 2 has lost another one")
    assert "resume=True" in told
    assert seconds < 15
    print(f"one of two processes killed: the other ended after {seconds:.1f} s")


def test_processes_with_different_seeds_are_refused(trained, place):  # noqa: F811
    *codes, first, second = trained("other_seeds", place)
    assert codes == [0, 0]
    for told in (first, second):
        assert told.startswith("ConfigError: the 2 processes have another seed of the order each ([0, 1])")


def test_torch_loaders_in_two_processes_train_as_in_one(trained, place):  # noqa: F811
    first, second, one = trained("two_loaders", place)
    assert first == second
    assert apart(first, one) < 1e-5
    print(f"torch loaders: equal weights, and scores as in one process to {apart(first, one):.1e}")


def test_loaders_that_draw_other_orders_are_refused(trained, place):  # noqa: F811
    for told in trained("other_orders", place):
        assert told.startswith("ConfigError: the 2 processes have another first batch of the loader each")
        assert "DistributedSampler" in told


def test_a_loss_that_is_not_finite_in_one_process_is_told_by_all_and_skipped_by_all(trained, place):  # noqa: F811
    found = trained("odd_losses", place)
    for told in found["stop"]:
        assert told.startswith("TrainingError: in process 1 of 2, the loss of 'net' is nan at step 3 of epoch 1, on im")
    assert found["run"] == found["stop"][0].removeprefix("TrainingError: ")
    first, second = found["skip"]
    assert first == second
    assert [row["skipped"] for row in first["history"]] == [1]


def test_a_disk_that_is_full_for_the_one_that_writes_stops_nobody(trained, place):  # noqa: F811
    (first, warned), (second, _) = trained("full_disk_of_one", place)
    assert (first, second) == (4, 4)
    assert warned > 1


def test_when_one_process_stops_all_stop_at_the_same_step(trained, place):  # noqa: F811
    first, second, newest = trained("stopped_by_one", place)
    assert (first["weights"], first["history"]) == (second["weights"], second["history"])
    assert len(first["history"]) == 1
    assert first["stopped"] == "in process 1 of 2, enough"
    assert second["stopped"] == "enough"
    assert newest == "00001-00000000"
