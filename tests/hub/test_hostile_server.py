"""Test that a server's answers never become file names and are never read without end (line 26)."""

import json
from pathlib import Path

import pytest

from zoo.errors import HubError, HubUntrustedError
from zoo.hub import pull

ESCAPES = ("../../../../x", "/tmp/x", "..", "a/b", "..\\..\\x", "", "C:\\x", "x" * 300, "main")
HEADERS = ("ETag", "X-Linked-Etag", "X-Repo-Commit")


def outside(tmp_path: Path) -> set[str]:
    return {str(path) for path in tmp_path.rglob("*") if "cache" not in path.relative_to(tmp_path).parts}


@pytest.mark.reliability
def test_headers_make_no_file_names(planted, tmp_path):
    before, refused, cells = outside(tmp_path), 0, 0
    for header in HEADERS:
        for text in ESCAPES:
            cells += 1
            value = text if header == "X-Repo-Commit" else f'"{text}"'
            planted.faults.add("resolve-head", headers={header: value}, times=None)
            try:
                pull("hf:ann/model")
            except HubUntrustedError:
                refused += 1
            planted.faults.clear()
    kept = [*(tmp_path / "cache").glob("*/*/[0-9a-f]*")]
    written = outside(tmp_path) - before
    print(f"line 26: {refused} of {cells} hostile headers refused, {len(written)} files written outside the cache")
    assert (refused, kept, written) == (cells, [], set())


@pytest.mark.parametrize("header", ["ETag", "X-Repo-Commit"])
def test_a_missing_header_is_reported(planted, header):
    planted.faults.add("resolve-head", headers={header: None}, path="*.json", times=None)
    with pytest.raises(HubError):
        pull("hf:ann/model")


def test_a_commit_that_is_none_is_refused(planted):
    described = json.dumps({"id": "ann/model", "sha": "../../../../x", "siblings": []}).encode()
    planted.faults.add("info", body=described)
    with pytest.raises(HubUntrustedError, match=r"is commit '\.\./.*x', which is not a commit"):
        pull("hf:ann/model")


def test_the_commit_of_another_version_is_refused(planted):
    planted.faults.add("resolve-head", headers={"X-Repo-Commit": "a" * 40})
    with pytest.raises(HubUntrustedError, match="the Hub answers with 'aaaa"):
        pull("hf:ann/model")


def test_a_file_that_never_ends_is_stopped(planted, tmp_path):
    planted.faults.add("resolve-get", path="*/config.json", body=b" " * (32 << 20), times=None)
    with pytest.raises(HubUntrustedError, match=r"is longer than the \d+ bytes that the Hub lists; stopped"):
        pull("hf:ann/model")
    assert not [*(tmp_path / "cache").rglob("config.json")]
