"""Line 22: of publishers who start from one commit, exactly one wins."""

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG, TOKEN
from tests.hub.served import count, head, kept

ROUNDS = 10 if LONG else 2
RACERS = 6
HOLD = 1.5
"""Seconds that the server holds every commit back, so that all racers have looked before the first one lands."""


@pytest.mark.reliability
def test_one_of_six_publishers_wins_and_five_are_told(hub, press, tmp_path):
    env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
    wins, told, mixed = 0, 0, 0
    first = artifact.saved(tmp_path / "first", seed=1000)
    assert not press.start("push", env=env, folder=str(first), repo="ann/model").result()["error"]
    for number in range(ROUNDS):
        before, commits = head(hub), count(hub)
        hub.faults.add("commit", delay=HOLD, times=None)
        seeds = [10 * number + racer + 1 for racer in range(RACERS)]
        folders = [artifact.saved(tmp_path / f"{seed}", seed=seed) for seed in seeds]
        jobs = [press.start("push", env=env, folder=str(folder), repo="ann/model") for folder in folders]
        results = [job.result() for job in jobs]
        hub.faults.clear()
        winners = [seed for seed, result in zip(seeds, results, strict=True) if not result["error"]]
        wins += len(winners) == 1 and head(hub) != before and count(hub) == commits + 1
        told += sum(result["error"] == "HubConflictError" for result in results)
        mixed += kept(hub) not in [artifact.files(seed) for seed in winners]
    print(f"line 22: {ROUNDS} rounds of {RACERS}: one winner in {wins}, {told} told of the conflict, {mixed} mixed")
    assert (wins, told, mixed) == (ROUNDS, ROUNDS * (RACERS - 1), 0)


@pytest.mark.reliability
def test_of_publishers_who_create_one_repository_none_overwrites_another(hub, press, tmp_path):
    env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
    hub.faults.add("create", delay=HOLD / 2, times=None)
    folders = [artifact.saved(tmp_path / f"{seed}", seed=seed) for seed in range(3)]
    jobs = [press.start("push", env=env, folder=str(folder), repo="ann/fresh") for folder in folders]
    results = [job.result() for job in jobs]
    print("new repository:", [result["error"] or "published" for result in results])
    winners = [seed for seed, result in enumerate(results) if not result["error"]]
    assert len(winners) == 1
    assert kept(hub, "ann/fresh") == artifact.files(winners[0])
    assert {result["error"] for result in results} == {"", "HubConflictError"}
