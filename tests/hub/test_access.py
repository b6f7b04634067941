"""Test who may load, publish and delete what, and the errors of the others (line 28)."""

import pytest

from tests.hub import artifact
from tests.hub.conftest import TOKEN
from zoo.errors import HubAccessError, HubError, HubNotFoundError
from zoo.hub import HubClient, pull, push

TOKENS = {
    "none": None,
    "read": "hf_AnnMayReadHere0815",
    "write": TOKEN,
    "foreign": "hf_BobIsSomebodyElse23",
    "invalid": "hf_NobodyKnowsThisOne",
}
OK, ACCESS, NOT_FOUND = "", HubAccessError.__name__, HubNotFoundError.__name__
ROWS = {  # visibility, action: none, read, write, foreign, invalid
    ("public", "load"): (OK, OK, OK, OK, ACCESS),
    ("private", "load"): (NOT_FOUND, OK, OK, NOT_FOUND, ACCESS),
    ("gated", "load"): (ACCESS, OK, OK, ACCESS, ACCESS),
    ("public", "publish"): (ACCESS, ACCESS, OK, ACCESS, ACCESS),
    ("private", "publish"): (ACCESS, ACCESS, OK, ACCESS, ACCESS),
    ("gated", "publish"): (ACCESS, ACCESS, OK, ACCESS, ACCESS),
    ("public", "delete"): (ACCESS, ACCESS, OK, ACCESS, ACCESS),
    ("private", "delete"): (NOT_FOUND, ACCESS, OK, NOT_FOUND, ACCESS),
    ("gated", "delete"): (ACCESS, ACCESS, OK, ACCESS, ACCESS),
}


def act(action: str, repo: str, folder) -> None:
    if action == "load":
        pull(f"hf:{repo}")
    elif action == "publish":
        push(folder, repo)
    else:
        HubClient.from_environment().call_api(
            lambda api: api.delete_repo(repo), problem=f"cannot delete {repo}", repo_id=repo
        )


@pytest.mark.reliability
def test_the_matrix_of_tokens(hub, folder, monkeypatch, tmp_path):
    wrong, messages = {}, []
    for (visibility, action), expected in ROWS.items():
        for name, kind in zip(TOKENS, expected, strict=True):
            repo = f"ann/{visibility}-{action}-{name}"
            repository = hub.store.create(repo, private=visibility == "private")
            hub.store.plant(repository, artifact.files(2))
            repository.update(gated="auto" if visibility == "gated" else False)
            monkeypatch.setenv("ZOO_CACHE", str(tmp_path / repo))
            monkeypatch.setenv("HF_TOKEN", TOKENS[name]) if TOKENS[name] else monkeypatch.delenv("HF_TOKEN")
            outcome = OK
            try:
                act(action, repo, folder)
            except HubError as error:
                outcome = type(error).__name__
                messages.append(str(error))
            if outcome != kind:
                wrong[visibility, action, name] = outcome
            monkeypatch.setenv("HF_TOKEN", TOKEN)
    cells = len(ROWS) * len(TOKENS)
    print(f"line 28: {cells - len(wrong)} of {cells} cells as they should be, {len(messages)} of them an error of zoo")
    assert wrong == {}
    assert cells == 45
    assert not [text for text in messages if any(token and token in text for token in TOKENS.values())]


def test_without_a_token_the_error_says_how_to_log_in(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubAccessError, match="set HF_TOKEN or run: hf auth login"):
        push(folder, "ann/model")


def test_a_gated_repository_says_where_to_ask(hub, monkeypatch):
    repository = hub.store.create("bob/gated")
    hub.store.plant(repository, artifact.files(2))
    repository.update(gated="auto")
    with pytest.raises(HubAccessError, match=f"bob/gated is gated.*ask for access at {hub.url}/bob/gated"):
        pull("hf:bob/gated")


def test_a_read_only_token_is_reported_before_anything_is_sent(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKENS["read"])
    with pytest.raises(HubAccessError, match="may only read"):
        push(folder, "ann/model")
    assert hub.requests.kinds == ["whoami"]
