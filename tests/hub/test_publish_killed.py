"""Test that publishing is one commit, whenever the publisher is killed (line 21)."""

import time

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG, TOKEN
from tests.hub.press import Job
from tests.hub.served import count, kept
from tests.hub_server import Server

ROUNDS = 3 if LONG else 1
REQUESTS = 15
"""Least number of requests of a push."""
LAG = 0.01
"""Seconds by which the server delays each request, so that there is time to kill the publisher."""


def settle(hub: Server) -> None:
    """Wait until the server has answered all requests."""
    before = -1
    while before != len(hub.requests):
        before = len(hub.requests)
        time.sleep(5 * LAG)


def kill_at(job: Job, hub: Server, arrived: int, late: float) -> bool:
    """Kill a job after a number of requests and some time; return whether it was still running."""
    while len(hub.requests) < arrived and not job.is_done:
        time.sleep(0.0005)
    time.sleep(late)
    was_at_work = not job.is_done
    job.kill()
    return was_at_work


@pytest.mark.reliability
def test_killed_publishers_leave_the_old_or_the_new(hub, press, tmp_path):
    env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
    seen = {"old": 0, "new": 0, "mixed": 0}
    kills = complete = 0
    points = [(request, late) for request in range(1, REQUESTS + 1) for late in (0.0, 1.5 * LAG)] * ROUNDS
    for seed, (request, late) in enumerate(points):
        repo = "ann/model" if seed % 3 else f"ann/model-{seed}"
        old, new = kept(hub, repo), artifact.files(seed)
        how = {"folder": str(artifact.saved(tmp_path / f"{seed}", seed=seed)), "repo": repo, "tag": f"v{seed}"}
        hub.faults.add("*", delay=LAG, times=None)
        arrived = len(hub.requests) + request
        kills += kill_at(press.start("push", env=env, **how), hub, arrived, late)
        settle(hub)
        hub.faults.clear()
        files = kept(hub, repo)
        seen["old" if files == old else "new" if files == new else "mixed"] += 1
        again = press.start("push", env=env, **how).result()
        commits = count(hub, repo)
        third = press.start("push", env=env, **how).result()
        is_whole = again["error"] == third["error"] == "" and kept(hub, repo) == kept(hub, repo, at=f"v{seed}") == new
        complete += is_whole and not third["is_new_commit"] and commits == count(hub, repo)
    print(f"line 21: {kills} kills: {seen}; {complete} of {len(points)} complete when run again, then no commit more")
    assert kills > 0.9 * len(points)
    assert seen["mixed"] == 0
    assert complete == len(points)
    assert min(seen["old"], seen["new"]) >= 2
