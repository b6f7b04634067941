"""Test that exactly one of several publishers who start from one commit wins (line 22)."""

from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG, TOKEN
from tests.hub.press import Press
from tests.hub.served import count, head, kept
from tests.hub_server import Server

ROUNDS = 10 if LONG else 2
HOLD = 1.5
"""Seconds by which the server delays the deciding request, so that all publishers have looked before one is done."""


def race(hub: Server, press: Press, root: Path, seeds: range, repo: str, deciding: str) -> list[str]:
    """Publish from several processes at once and return the outcomes; repeat a race that one entered too late."""
    env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
    folders = [artifact.saved(root / f"{seed}", seed=seed) for seed in seeds]
    hub.requests.clear()
    hub.faults.add(deciding, delay=HOLD, times=None)
    jobs = [press.start("push", env=env, folder=str(folder), repo=repo) for folder in folders]
    ends = [job.result()["error"] for job in jobs]
    hub.faults.clear()
    looks, decisions = hub.requests.of("refs"), hub.requests.of(deciding)
    is_fair = looks[len(seeds) - 1].time < decisions[0].time + HOLD
    return ends if is_fair else []


@pytest.mark.reliability
def test_one_of_six_publishers_wins_and_five_get_an_error(hub, press, tmp_path):
    wins, conflicts, mixed, rounds, tries = 0, 0, 0, 0, 0
    hub.store.plant(hub.store.create("ann/model"), artifact.files(1000))
    while rounds < ROUNDS:
        tries += 1
        assert tries < 3 * ROUNDS, "the machine is too busy for a fair race"
        before, commits, seeds = head(hub), count(hub), range(10 * tries, 10 * tries + 6)
        ends = race(hub, press, tmp_path, seeds, "ann/model", "commit")
        if not ends:
            continue
        rounds += 1
        winners = [seed for seed, end in zip(seeds, ends, strict=True) if not end]
        wins += len(winners) == 1 and head(hub) != before and count(hub) == commits + 1
        conflicts += ends.count("HubConflictError")
        mixed += kept(hub) not in [artifact.files(seed) for seed in winners]
    print(f"line 22: {ROUNDS} rounds of 6: one winner in {wins}, {conflicts} conflicts, {mixed} mixed")
    assert (wins, conflicts, mixed) == (ROUNDS, ROUNDS * 5, 0)


@pytest.mark.reliability
def test_of_publishers_who_create_one_repository_none_overwrites_another(hub, press, tmp_path):
    ends: list[str] = []
    for number in range(5):
        repo = f"ann/fresh-{number}"
        ends = ends or race(hub, press, tmp_path, range(3), repo, "create")
        if ends:
            break
    winners = [seed for seed, end in enumerate(ends) if not end]
    print("line 22: three who make one repository:", ends)
    assert sorted(ends) == ["", "HubConflictError", "HubConflictError"]
    assert kept(hub, repo) == artifact.files(winners[0])
