"""How many threads share a small batch follows what it takes, whatever the machine does beside."""

import pytest

from zoo.fused.thread_tuner import MAX_RETRY_WINDOWS, MIN_RETRY_WINDOWS, WINDOW_CALLS, ThreadTuner


def run(pace, calls, *, alone, shared):
    """Let calls take their time; return how many were shared and the seconds of all."""
    spent, num = 0.0, 0
    for _ in range(calls):
        seconds = shared if pace.is_multithreaded else alone
        num += pace.is_multithreaded
        spent += seconds
        pace.record(seconds)
    return num, spent


def test_it_begins_alone_and_stays_shared_while_that_is_faster():
    assert run(ThreadTuner(), 100 * WINDOW_CALLS, alone=70e-6, shared=40e-6)[0] == 99 * WINDOW_CALLS


def test_a_trial_that_stalls_is_broken_off_at_once():
    num, spent = run(ThreadTuner(), 10_000, alone=70e-6, shared=8e-3)
    assert 1 <= num <= 3
    assert spent == pytest.approx(10_000 * 70e-6, rel=0.05)


def test_trials_that_are_lost_become_rare_and_never_end():
    pace = ThreadTuner()
    early = run(pace, 20 * MIN_RETRY_WINDOWS * WINDOW_CALLS, alone=70e-6, shared=71e-6)[0]
    late = run(pace, 20 * MIN_RETRY_WINDOWS * WINDOW_CALLS, alone=70e-6, shared=71e-6)[0]
    last = run(pace, 2 * MAX_RETRY_WINDOWS * WINDOW_CALLS, alone=70e-6, shared=71e-6)[0]
    assert early > late
    assert last >= WINDOW_CALLS - 1


def test_it_goes_back_to_one_thread_when_the_machine_gets_busy_and_tries_again_later():
    pace = ThreadTuner()
    run(pace, 10 * WINDOW_CALLS, alone=70e-6, shared=40e-6)
    assert pace.is_multithreaded
    assert run(pace, WINDOW_CALLS, alone=70e-6, shared=900e-6)[0] <= 3
    assert not pace.is_multithreaded
    run(pace, 2 * MIN_RETRY_WINDOWS * WINDOW_CALLS, alone=70e-6, shared=40e-6)
    assert pace.is_multithreaded
