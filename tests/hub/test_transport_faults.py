"""Test that one fault goes unnoticed, a lasting one is an error of zoo, and nothing is half done (line 23)."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import LONG, TOKEN, USERS
from tests.hub.served import kept
from tests.hub_server import serve

FAULTS = {
    "drop": {"drop_after": 0},
    "cut": {"drop_after": 9},
    "short": {"truncate_at": 9},
    "slow": {"delay": 4.0},
    **{str(status): {"status": status} for status in (408, 429, 500, 502, 503, 504)},
}
LOADING = ("info", "paths-info", "resolve-head", "resolve-get", "cdn")
PUBLISHING = (
    "whoami", "refs", "create", "preupload", "lfs-batch", "lfs-put", "lfs-verify", "validate-yaml", "commit", "tag",
)  # fmt: skip
KINDS = LOADING + PUBLISHING


def cells(every: int) -> list[tuple[str, str]]:
    """Return each fault on each kind of request, or in the short form every `every`-th one."""
    pairs = product(enumerate(FAULTS), enumerate(KINDS))
    return [(fault, kind) for (row, fault), (column, kind) in pairs if LONG or (row + column) % every == 0]


MOST = 10.0
"""Most seconds that one fault may cost."""
MOST_LASTING = 45.0
"""Most seconds until a lasting fault is an error, where the client times out after two."""
WORDS = ("httpx", "Traceback", "huggingface_hub", "JSONDecodeError")


def is_long(fault: str, kind: str) -> bool:
    """Return whether the client itself waits repeatedly before zoo can act."""
    return fault in ("drop", "cut", "slow") and kind in ("preupload", "lfs-batch", "lfs-put", "lfs-verify")


def run(press, root: Path, fault: str, kind: str, times: int | None):
    """Push to or pull from a server with this fault; return the result and the files there afterwards."""
    with serve(tokens=USERS) as hub:
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "ZOO_HUB_TIMEOUT": "2"}
        folder = artifact.saved(root, seed=1)
        if kind in LOADING:
            hub.store.plant(hub.store.create("ann/model"), artifact.files(1))
            hub.faults.add(kind, times=times, **FAULTS[fault])
            job = press.start("pull", env=env, reference="hf:ann/model")
            result = job.result()
            files = {path.name: path.read_bytes() for path in job.cache.glob("*/*/[0-9a-f]*/*")}
        else:
            hub.faults.add(kind, times=times, **FAULTS[fault])
            result = press.start("push", env=env, folder=str(folder), repo="ann/model", tag="v1").result()
            files = kept(hub)
    return result, files


def table(press, tmp_path, cells, times):
    with ThreadPoolExecutor(10) as pool:
        jobs = {cell: pool.submit(run, press, tmp_path / "-".join(cell), *cell, times) for cell in cells}
        return {cell: job.result() for cell, job in jobs.items()}


@pytest.mark.reliability
def test_one_fault_is_not_noticed(press, tmp_path):
    chosen = cells(4)
    results = table(press, tmp_path, chosen, 1)
    failed = {cell: result["text"] for cell, (result, _) in results.items() if result["error"]}
    partial = [cell for cell, (_, files) in results.items() if files != artifact.files(1)]
    slowest = max(result["seconds"] for result, _ in results.values())
    kinds = len({kind for _, kind in chosen})
    print(
        f"line 23: {len(chosen)} single faults, {kinds} kinds of request: {len(failed)} failed, at most {slowest:.1f} s"
    )
    assert (failed, partial) == ({}, [])
    assert slowest <= MOST


@pytest.mark.reliability
def test_a_lasting_fault_becomes_an_error_of_zoo(press, tmp_path):
    chosen = [cell for cell in cells(6) if LONG or not is_long(*cell)]
    results = table(press, tmp_path, chosen, None)
    wrong, partial, done = {}, {}, 0
    for cell, (result, files) in results.items():
        if not result["error"] and files == artifact.files(1):
            done += 1  # it was done, and zoo noticed although no whole answer ever came
        elif "HubError" not in result["kinds"] or any(word in result["text"] for word in WORDS):
            wrong[cell] = result["error"] + result["text"]
        elif "httpx2" in result["trace"]:
            wrong[cell] = result["trace"]
        if files not in ({}, artifact.files(1)):
            partial[cell] = [*files]
    slowest = max(result["seconds"] for result, _ in results.values())
    typed = len(chosen) - len(wrong) - done
    print(
        f"line 23: {len(chosen)} lasting faults: {typed} typed, {done} got round, {len(partial)} partial, "
        f"at most {slowest:.1f} s"
    )
    assert (wrong, partial) == ({}, {})
    assert slowest <= MOST_LASTING
