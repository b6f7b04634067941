"""Test the names of models on a Hub."""

import pytest

from zoo.errors import UnknownNameError
from zoo.hub import HubReference

COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("text", "owner", "name", "revision"),
    [
        ("hf:ann/model", "ann", "model", "main"),
        ("hf:ann/model@v1.0", "ann", "model", "v1.0"),
        ("hf:a-b/c.d_e@feature/x", "a-b", "c.d_e", "feature/x"),
        ("hf:a/b@refs/pr/1", "a", "b", "refs/pr/1"),
        (f"hf:a/b@{COMMIT}", "a", "b", COMMIT),
        ("hf:_a/b_@v1+cpu", "_a", "b_", "v1+cpu"),
    ],
)
def test_a_reference_is_read_and_written_back(text, owner, name, revision):
    reference = HubReference.parse(text)
    assert (reference.owner, reference.name, reference.revision) == (owner, name, revision)
    assert (str(reference), reference.repo_id) == (text, f"{owner}/{name}")
    assert HubReference.parse(str(reference)) == reference


def test_main_need_not_be_said():
    assert str(HubReference.parse("hf:a/b@main")) == "hf:a/b"
    assert HubReference.parse("hf:a/b@main") == HubReference.parse("hf:a/b")


def test_only_a_whole_commit_is_one():
    assert HubReference.parse(f"hf:a/b@{COMMIT}").commit == COMMIT
    for revision in (COMMIT[:39], COMMIT.upper(), "main", f"{COMMIT}0"):
        assert HubReference.parse(f"hf:a/b@{revision}").commit is None


@pytest.mark.parametrize(
    "text",
    [
        "a/b", "hf:", "hf:/", "hf:a", "hf:a/", "hf:/b", "hf:a/b/c", "hf:a//b", "HF:a/b", " hf:a/b", "hf:a/b ",
        "hf: a/b", "hf:a/b\n", "hf:../b", "hf:a/..", "hf:./b", "hf:a/.b", "hf:a/b.", "hf:-a/b", "hf:a/b-",
        "hf:a/b..c", "hf:a/b--c", "hf:a/b.git", "hf:a\\b/c", "hf:a/b:c", "hf:ä/b", "hf:a/b%2fc", "hf:a/b?x",
        "hf:a/b#x", f"hf:{'a' * 90}/{'b' * 90}", "hf:https://x/y", "hf:a/b@", "hf:a/b@@", "hf:a/b@-x", "hf:a/b@../x",
        "hf:a/b@x..y", "hf:a/b@/x", "hf:a/b@x/", "hf:a/b@x//y", "hf:a/b@x y", "hf:a/b@x\x00", "hf:a/b@x\n",
        "hf:a/b@x~1", "hf:a/b@x^", "hf:a/b@x:y", "hf:a/b@x*", "hf:a/b@x[1]", "hf:a/b@x\\y", "hf:a/b@x.lock",
        "hf:a/b@x.", "hf:a/b@.x", "hf:a/b@ü", f"hf:a/b@{'x' * 201}", "hf:a/b@\u202ex",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text):
    with pytest.raises(UnknownNameError):
        HubReference.parse(text)


def test_a_refusal_says_how_to_write_it_and_is_not_long():
    with pytest.raises(UnknownNameError, match=r"^'hf:model' is not a model on a Hub; write hf:owner/name or hf:"):
        HubReference.parse("hf:model")
    with pytest.raises(UnknownNameError) as caught:
        HubReference.parse("hf:" + "x" * 100_000)
    assert len(str(caught.value)) < 250
