"""Several processes train as one: with gloo, over loopback, each in its own process."""

import pytest
from test_training import root, run_training  # noqa: F401 - fixtures

pytestmark = pytest.mark.reliability


def test_two_processes_end_with_one_net_and_the_scores_of_one_process(run_training, root):  # noqa: F811
    results = run_training("compare_two_with_one", root)
    (first, second), (one,) = results["two"], results["one"]
    assert first["weights"] == second["weights"]
    assert first["history"] == second["history"]
    largest = [
        largest_difference(first, one),
        largest_difference(results["accumulated"][0], results["whole"][0]),
    ]
    assert max(largest) < 1e-5
    print(
        f"two processes: equal weights; scores as one process to {largest[0]:.1e}, "
        f"with two accumulated batches {largest[1]:.1e}"
    )
    first, second = results["norms"]
    assert (first["history"], first["weights"]) == (second["history"], second["weights"])


def largest_difference(result, expected):
    """Return the largest difference between two histories."""
    pairs = zip(result["history"], expected["history"], strict=True)
    return max(abs(row[name] - expected_row[name]) for row, expected_row in pairs for name in row)


def test_two_stopped_processes_resume_exactly_and_one_resumes_with_a_warning(run_training, root):  # noqa: F811
    results = run_training("stop_and_resume_pair", root)
    assert results["codes"] == [143, 143]
    assert results["is_same"]
    assert [each["weights"] for each in results["resumed"]] == [each["weights"] for each in results["whole"]]
    assert results["resumed"][0]["history"] == results["whole"][0]["history"]
    (alone,) = results["alone"]
    assert any("processes was 2 and is 1" in text and "last bits" in text for text in alone["warnings"])
    assert [row["epoch"] for row in alone["history"]] == [1, 2, 3]
    last, expected = alone["history"][-1], results["whole"][0]["history"][-1]
    assert last["loss"] == pytest.approx(expected["loss"], rel=0.2)


def test_when_one_process_is_killed_the_other_ends_with_a_clear_error(run_training, root):  # noqa: F811
    code, message, seconds, state = run_training("kill_one", root)
    assert (code, state) == (1, "failed")
    assert message.startswith("TrainingError: process 0 of 2 has lost another one")
    assert "resume=True" in message
    assert seconds < 15
    print(f"one of two processes killed: the other ended after {seconds:.1f} s")


def test_processes_with_different_seeds_are_refused(run_training, root):  # noqa: F811
    *codes, first, second = run_training("run_other_seeds", root)
    assert codes == [0, 0]
    for message in (first, second):
        assert message.startswith("ConfigError: the 2 processes have another seed of the order each ([0, 1])")


def test_torch_loaders_in_two_processes_train_as_in_one(run_training, root):  # noqa: F811
    first, second, one = run_training("compare_loaders", root)
    assert first == second
    assert largest_difference(first, one) < 1e-5
    print(f"torch loaders: equal weights, and scores as in one process to {largest_difference(first, one):.1e}")


def test_loaders_with_different_orders_are_refused(run_training, root):  # noqa: F811
    for message in run_training("run_other_orders", root):
        assert message.startswith("ConfigError: the 2 processes have another first batch of the loader each")
        assert "DistributedSampler" in message


def test_a_loss_that_is_not_finite_in_one_process_stops_or_skips_in_all(run_training, root):  # noqa: F811
    results = run_training("run_nan_losses", root)
    problem = "in process 1 of 2, the loss of 'net' is nan at step 3 of epoch 1, on im"
    for message in results["stop"]:
        assert message.startswith(f"TrainingError: {problem}")
    assert results["run"] == results["stop"][0].removeprefix("TrainingError: ")
    first, second = results["skip"]
    assert first == second
    assert [row["skipped"] for row in first["history"]] == [1]


def test_a_full_disk_of_the_process_that_writes_stops_no_process(run_training, root):  # noqa: F811
    (first, num_warnings), (second, _) = run_training("fill_disk_of_one", root)
    assert (first, second) == (4, 4)
    assert num_warnings > 1


def test_when_one_process_stops_all_stop_at_the_same_step(run_training, root):  # noqa: F811
    first, second, newest = run_training("stop_one", root)
    assert (first["weights"], first["history"]) == (second["weights"], second["history"])
    assert len(first["history"]) == 1
    assert first["stopped"] == "in process 1 of 2, enough"
    assert second["stopped"] == "enough"
    assert newest == "00001-00000000"
