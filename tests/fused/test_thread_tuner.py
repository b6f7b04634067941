"""The thread tuner follows measured times, whatever else the machine does."""

import pytest

from zoo.fused.thread_tuner import MAX_RETRY_WINDOWS, MIN_RETRY_WINDOWS, WINDOW_CALLS, ThreadTuner


def run(tuner, calls, *, single, shared):
    """Simulate calls of a duration; return how many used all threads, and the seconds of all calls."""
    total_seconds, num_shared = 0.0, 0
    for _ in range(calls):
        seconds = shared if tuner.is_multithreaded else single
        num_shared += tuner.is_multithreaded
        total_seconds += seconds
        tuner.record(seconds)
    return num_shared, total_seconds


def test_it_begins_with_one_thread_and_uses_all_while_that_is_faster():
    assert run(ThreadTuner(), 100 * WINDOW_CALLS, single=70e-6, shared=40e-6)[0] == 99 * WINDOW_CALLS


def test_an_attempt_that_stalls_ends_at_once():
    num_shared, seconds = run(ThreadTuner(), 10_000, single=70e-6, shared=8e-3)
    assert 1 <= num_shared <= 3
    assert seconds == pytest.approx(10_000 * 70e-6, rel=0.05)


def test_attempts_without_success_become_rare_and_never_stop():
    tuner = ThreadTuner()
    early = run(tuner, 20 * MIN_RETRY_WINDOWS * WINDOW_CALLS, single=70e-6, shared=71e-6)[0]
    late = run(tuner, 20 * MIN_RETRY_WINDOWS * WINDOW_CALLS, single=70e-6, shared=71e-6)[0]
    last = run(tuner, 2 * MAX_RETRY_WINDOWS * WINDOW_CALLS, single=70e-6, shared=71e-6)[0]
    assert early > late
    assert last >= WINDOW_CALLS - 1


def test_it_goes_back_to_one_thread_when_the_machine_gets_busy_and_tries_again_later():
    tuner = ThreadTuner()
    run(tuner, 10 * WINDOW_CALLS, single=70e-6, shared=40e-6)
    assert tuner.is_multithreaded
    assert run(tuner, WINDOW_CALLS, single=70e-6, shared=900e-6)[0] <= 3
    assert not tuner.is_multithreaded
    run(tuner, 2 * MIN_RETRY_WINDOWS * WINDOW_CALLS, single=70e-6, shared=40e-6)
    assert tuner.is_multithreaded
