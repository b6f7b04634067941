"""Test the test server: the real client works with it as with the Hub."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from html import unescape
from pathlib import Path
from urllib.request import urlopen

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")

import huggingface_hub
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, ModelCard, constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub_server import Server, User, serve

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's own, at an LFS PUT
TOKENS = {
    "hf_ann": User("ann", orgs=("lab",)),
    "hf_read": User("ann", role="read"),
    "hf_bob": User("bob"),
}
CARD = b"---\nlicense: mit\ntags: [zoo]\n---\n# A <small> net\n"
FILES = {"README.md": CARD, "net.safetensors": bytes(range(256)) * 8, "logs/loss.txt": b"0.5\n"}


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path):
    """Keep the client away from this machine's tokens and caches, and from Xet."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def hub():
    with serve(tokens=TOKENS, part_size=1024, page_size=3) as server:
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token="hf_ann")


@pytest.fixture
def net(api):
    """Return the commit of a published model."""
    api.create_repo("ann/net")
    return commit(api, FILES).oid


def commit(api: HfApi, files: dict[str, bytes], id: str = "ann/net", **how):
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    return api.create_commit(id, operations, commit_message="a commit", **how)


def read(api: HfApi, path: str, **how) -> bytes:
    return Path(api.hf_hub_download("ann/net", path, **how)).read_bytes()


def raw(hub: Server, method: str, path: str, body: bytes | None = None, **headers: str):
    """Send a request without the client; return the status, the headers and the received part of the body."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.headers, answer.read()
        except http.client.IncompleteRead as error:
            return answer.status, answer.headers, error.partial
    finally:
        connection.close()


# Publishing and reading


def test_a_token_says_who_its_user_is(api):
    assert api.whoami()["name"] == "ann"
    assert [org["name"] for org in api.whoami()["orgs"]] == ["lab"]


def test_a_repository_is_made_once(api):
    assert api.create_repo("ann/net").repo_id == "ann/net"
    assert api.create_repo("ann/net", exist_ok=True).repo_id == "ann/net"
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("ann/net")


def test_every_committed_file_is_downloaded_as_it_was(api, net):
    assert {path: read(api, path) for path in FILES} == FILES


@pytest.mark.parametrize("revision", ["v1", "main", "sha"])
def test_a_file_is_found_by_tag_by_branch_and_by_commit(api, net, revision):
    api.create_tag("ann/net", tag="v1")
    commit(api, {"later.txt": b"later"})
    wanted = net if revision == "sha" else revision
    assert read(api, "net.safetensors", revision=wanted) == FILES["net.safetensors"]
    assert api.file_exists("ann/net", "later.txt", revision=wanted) is (revision == "main")


def test_a_snapshot_holds_every_file(api, net):
    folder = Path(api.snapshot_download("ann/net"))
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found.keys() == {*FILES, ".gitattributes"}
    assert FILES.items() <= found.items()
    assert api.verify_repo_checksums("ann/net", local_dir=folder).mismatches == []


def test_listings_say_what_lies_where(api, net):
    tree = {entry.path: entry for entry in api.list_repo_tree("ann/net", recursive=True, expand=True)}
    assert tree.keys() == {*FILES, ".gitattributes", "logs"}  # over two pages
    assert tree["net.safetensors"].lfs.size == len(FILES["net.safetensors"])
    assert tree["logs"].last_commit.oid == net != tree[".gitattributes"].last_commit.oid
    assert [each.path for each in api.list_repo_tree("ann/net", "logs")] == ["logs/loss.txt"]
    assert [each.path for each in api.get_paths_info("ann/net", ["logs", "README.md", "no"])] == ["logs", "README.md"]


def test_a_repository_describes_itself(api, net):
    info = api.repo_info("ann/net", files_metadata=True)
    sizes = {each.rfilename: each.size for each in info.siblings}
    assert sizes["logs/loss.txt"] == 4
    assert (info.sha, info.private, info.gated, info.card_data.license) == (net, False, False, "mit")
    assert [each.id for each in api.list_models(author="ann", search="NE", filter="zoo")] == ["ann/net"]
    assert list(api.list_models(author="bob")) == []


def test_history_is_listed_newest_first(api, net):
    newer = commit(api, {"a.txt": b"a"}, commit_description="why").oid
    first, second, third = api.list_repo_commits("ann/net")
    assert [first.commit_id, second.commit_id, third.title] == [newer, net, "initial commit"]
    assert (first.title, first.message, first.authors) == ("a commit", "why", ["ann"])


def test_an_upload_that_changes_nothing_makes_no_commit(hub, api, net):
    assert commit(api, FILES).oid == net
    assert len(hub.requests.of("commit")) == 1


def test_a_commit_adds_copies_and_deletes_at_once(api, net):
    changes = [
        CommitOperationAdd("new.txt", b"new"),
        CommitOperationCopy("net.safetensors", "copy.safetensors"),
        CommitOperationCopy("README.md", "COPY.md"),
        CommitOperationDelete("README.md"),
        CommitOperationDelete("logs/"),
    ]
    api.create_commit("ann/net", changes, commit_message="all at once", parent_commit=net)
    assert {*api.list_repo_files("ann/net")} == {
        ".gitattributes", "new.txt", "net.safetensors", "copy.safetensors", "COPY.md",
    }  # fmt: skip
    assert read(api, "copy.safetensors") == FILES["net.safetensors"]


def test_a_commit_that_fails_at_its_end_changes_nothing(hub, api, net):
    changes = [CommitOperationAdd("new.txt", b"new"), CommitOperationDelete("not-there.txt")]
    with pytest.raises(EntryNotFoundError, match="A file with this name doesn't exist"):
        api.create_commit("ann/net", changes, commit_message="no")
    assert hub.store.repo("ann/net").main.oid == net


def test_of_many_commits_on_one_parent_one_is_made(hub, api, net):
    statuses = []

    def race(number: int) -> None:
        try:
            commit(api, {f"{number}.txt": b"x"}, parent_commit=net)
            statuses.append(200)
        except HfHubHTTPError as error:
            statuses.append(error.response.status_code)

    racers = [threading.Thread(target=race, args=(number,)) for number in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(statuses) == [200, *[412] * 5]
    assert len(api.list_repo_commits("ann/net")) == 3


def test_a_pull_request_leaves_the_branch_alone(hub, api, net):
    made = commit(HfApi(endpoint=hub.url, token="hf_bob"), {"a.txt": b"a"}, create_pr=True)
    assert (made.pr_revision, hub.store.repo("ann/net").main.oid) == ("refs/pr/1", net)
    assert read(api, "a.txt", revision="refs/pr/1") == b"a"
    refs = api.list_repo_refs("ann/net", include_pull_requests=True)
    assert [each.ref for each in refs.pull_requests] == ["refs/pr/1"]


def test_tags_and_branches_come_and_go(api, net):
    api.create_tag("ann/net", tag="v1", revision=net)
    api.create_branch("ann/net", branch="try", revision="v1")
    commit(api, {"a.txt": b"a"}, revision="try")
    refs = api.list_repo_refs("ann/net")
    assert {each.name: each.target_commit == net for each in refs.branches + refs.tags} == {
        "main": True, "try": False, "v1": True,
    }  # fmt: skip
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag("ann/net", tag="v1")
    api.create_tag("ann/net", tag="v1", exist_ok=True)
    api.delete_tag("ann/net", tag="v1")
    api.delete_branch("ann/net", branch="try")
    assert [each.name for each in api.list_repo_refs("ann/net").branches] == ["main"]
    with pytest.raises(HfHubHTTPError, match="403"):
        api.delete_branch("ann/net", branch="main")


def test_a_repository_that_was_renamed_is_found_by_both_names(api, net):
    api.move_repo("ann/net", "lab/net")
    assert api.repo_info("ann/net").id == "lab/net"
    assert read(api, "net.safetensors") == FILES["net.safetensors"]


def test_a_repository_that_was_deleted_is_gone(api, net):
    api.delete_repo("ann/net")
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info("ann/net")
    api.delete_repo("ann/net", missing_ok=True)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"repo_id": "ann/none", "filename": "README.md"}, RepositoryNotFoundError),
        ({"repo_id": "ann/net", "filename": "README.md", "revision": "v9"}, RevisionNotFoundError),
        ({"repo_id": "ann/net", "filename": "none.md"}, EntryNotFoundError),
    ],
)
def test_what_is_not_there_is_named_by_the_error(api, net, asked, error):
    with pytest.raises(error):
        api.hf_hub_download(**asked)


def test_a_data_set_is_no_model(api, net):
    api.create_repo("ann/net", repo_type="dataset")
    commit(api, {"a.csv": b"1"}, repo_type="dataset")
    assert Path(api.hf_hub_download("ann/net", "a.csv", repo_type="dataset")).read_bytes() == b"1"
    assert not api.file_exists("ann/net", "a.csv")


# Cards


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        ("---\ntags: [zoo]\n---\n", '"license" is required'),
        ("---\n- mit\n---\n", "should be a mapping"),
        ("---\nlicense: [\n---\n", "cannot be read"),
        ("---\nlicense: mit\ntags: [1]\n---\n", '"tags" must be'),
        ("---\nlicense: mit\nmodel-index: [{name: a, results: [{}]}]\n---\n", r"results\[0\].task.type"),
    ],
)
def test_a_card_that_says_too_little_is_not_committed(api, net, card, complaint):
    with pytest.raises(ValueError, match=complaint):
        commit(api, {"README.md": card.encode()})


def test_a_card_is_validated_by_the_client_too(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)  # ModelCard takes no endpoint
    ModelCard(CARD.decode()).validate()
    with pytest.raises(ValueError, match="license"):
        ModelCard("---\ntags: [zoo]\n---\n").validate()


def test_a_card_without_metadata_is_a_warning(api, net):
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        commit(api, {"README.md": b"# A net\n"})


# Who may what


def test_an_unknown_token_is_reported(hub, net):
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as caught:
        HfApi(endpoint=hub.url, token="hf_wrong").repo_info("ann/net")
    assert caught.value.response.status_code == 401
    assert not isinstance(caught.value, RepositoryNotFoundError)


@pytest.mark.parametrize("token", ["hf_bob", False])
def test_a_private_repository_is_not_there_for_others(hub, api, net, token):
    api.update_repo_settings("ann/net", private=True)
    stranger = HfApi(endpoint=hub.url, token=token)
    for ask in (stranger.repo_info, stranger.list_repo_files, stranger.auth_check):
        with pytest.raises(RepositoryNotFoundError):
            ask("ann/net")
    assert list(stranger.list_models()) == []
    assert api.repo_info("ann/net").private


@pytest.mark.parametrize(("token", "status"), [("hf_bob", 403), (False, 401)])
def test_a_gated_repository_lists_its_files_and_keeps_them(hub, api, net, token, status):
    api.update_repo_settings("ann/net", gated="manual")
    stranger = HfApi(endpoint=hub.url, token=token)
    assert "README.md" in stranger.list_repo_files("ann/net")
    with pytest.raises(GatedRepoError) as caught:
        read(stranger, "net.safetensors")
    assert caught.value.response.status_code == status
    assert read(api, "net.safetensors") == FILES["net.safetensors"]


def test_whoever_was_granted_a_gated_repository_reads_it(hub, api, net):
    hub.store.repo("ann/net").update(gated="auto", granted=("bob",))
    assert read(HfApi(endpoint=hub.url, token="hf_bob"), "README.md") == CARD


@pytest.mark.parametrize("token", ["hf_read", "hf_bob"])
def test_only_a_write_token_of_the_owner_writes(hub, api, net, token):
    other = HfApi(endpoint=hub.url, token=token)
    asked = (
        lambda: other.create_repo("ann/other"),
        lambda: commit(other, {"a.txt": b"a"}),
        lambda: other.create_tag("ann/net", tag="v1"),
        lambda: other.update_repo_settings("ann/net", private=True),
        lambda: other.delete_repo("ann/net"),
        lambda: other.auth_check("ann/net", write=True),
    )
    for ask in asked:
        with pytest.raises(HfHubHTTPError, match="403"):
            ask()


def test_a_user_writes_for_an_organization(api):
    api.create_repo("lab/net", private=True)
    assert commit(api, {"a.txt": b"a"}, "lab/net").repo_url.repo_id == "lab/net"


def test_no_token_reaches_the_other_origin(hub, api, net):
    api.snapshot_download("ann/net")
    told = {record.authorization for record in hub.requests if record.origin == "hub" and record.kind != "lfs-complete"}
    assert told == {"Bearer hf_ann"}
    away = [record for record in hub.requests if record.origin == "cdn"]
    assert {record.kind for record in away} == {"lfs-put", "cdn"}
    assert {record.authorization for record in away} == {None}


# What a server should refuse

HEADER = {"key": "header", "value": {"summary": "raw"}}


def raw_commit(hub: Server, *lines: dict) -> tuple[int, str]:
    body = "\n".join(json.dumps(line) for line in (HEADER, *lines)).encode()
    path = "/api/models/ann/net/commit/main"
    status, _, answer = raw(hub, "POST", path, body, Authorization="Bearer hf_ann")
    return status, json.loads(answer).get("error", "")


@pytest.mark.parametrize(
    "path", ["../a", "a/../b", "/a", "a//b", "a/", ".git/config", "a/.GIT/b", "a\\b", "a\nb", "", "README.md/a"]
)
def test_a_path_that_could_hurt_is_not_committed(hub, net, path):
    status, _ = raw_commit(hub, {"key": "file", "value": {"path": path, "content": "", "encoding": "base64"}})
    assert (status, hub.store.repo("ann/net").main.oid) == (400, net)


def test_an_object_that_never_arrived_is_not_committed(hub, net):
    status, error = raw_commit(hub, {"key": "lfsFile", "value": {"path": "a.bin", "algo": "sha256", "oid": "0" * 64}})
    assert (status, error) == (400, f"no object {'0' * 64} was uploaded")


def test_an_upload_is_kept_only_if_it_is_what_it_was_named(hub):
    sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of `hello`
    assert raw(hub, "PUT", f"/upload/{sha256}?size=5", b"hallo")[0] == 400
    assert raw(hub, "PUT", f"/upload/{sha256}?size=6", b"hello")[0] == 400
    assert sha256 not in hub.store.objects
    assert raw(hub, "PUT", f"/upload/{sha256}?size=5", b"hello")[0] == 200


def test_a_hostile_name_can_be_planted(hub, api, net):
    hub.store.plant(hub.store.repo("ann/net"), {"../../out.txt": b"out"})
    assert "../../out.txt" in api.list_repo_files("ann/net")
    with pytest.raises(ValueError, match=r"\.\."):
        api.snapshot_download("ann/net")


# What goes wrong on purpose

MIB = 1 << 20
RESOLVE = "/ann/net/resolve/main/logs/loss.txt"


def test_a_fault_answers_its_status_so_many_times(hub, net):
    hub.faults.add("resolve-get", status=503, times=2, skip=1, headers={"Retry-After": "7"})
    answers = [raw(hub, "GET", RESOLVE) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 503, 503, 200]
    assert answers[1][1]["Retry-After"] == "7"
    assert len(hub.faults) == 0


def test_a_fault_strikes_its_kind_and_path_alone(hub, net):
    hub.faults.add("resolve-*", path="*/README.md", status=500, times=None)
    assert raw(hub, "GET", RESOLVE)[0] == 200
    assert raw(hub, "GET", "/ann/net/resolve/main/README.md")[0] == 500
    assert raw(hub, "HEAD", "/ann/net/resolve/main/README.md")[0] == 500
    hub.faults.clear()
    assert raw(hub, "GET", "/ann/net/resolve/main/README.md")[0] == 200


def test_a_fault_spoils_bytes(hub, net):
    hub.faults.add("resolve-get", flip_at=-1)
    hub.faults.add("resolve-get", truncate_at=2)
    hub.faults.add("resolve-get", body=b"else")
    hub.faults.add("resolve-get", drop_after=3)
    answers = [raw(hub, "GET", RESOLVE) for _ in range(5)]
    assert [body for _, _, body in answers] == [b"0.5\xf5", b"0.", b"else", b"0.5", b"0.5\n"]
    assert [headers["Content-Length"] for _, headers, _ in answers] == ["4", "2", "4", "4", "4"]


def test_a_fault_sets_and_takes_away_headers(hub, net):
    hub.faults.add("resolve-head", headers={"etag": '"../x"', "X-Repo-Commit": None})
    _, headers, _ = raw(hub, "HEAD", RESOLVE)
    assert (headers["ETag"], headers["X-Repo-Commit"]) == ('"../x"', None)


def test_a_slow_answer_is_late(hub, net):
    hub.faults.add("resolve-get", delay=0.05)
    assert raw(hub, "GET", RESOLVE)[0] == 200
    late = hub.requests[-1]
    assert late.answered - late.time >= 0.05


def test_closing_waits_for_no_slow_answer():
    begun = time.monotonic()
    with serve() as hub, socket.create_connection(("127.0.0.1", hub.port)) as connection:
        hub.faults.add("page", delay=60)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while not hub.requests:
            time.sleep(0.001)
        hub.close()
    assert time.monotonic() - begun < 5


def test_an_answer_can_be_lost_after_the_commit_was_made(hub, api, net):
    hub.faults.add("commit", drop_after=0)
    with pytest.raises(Exception, match="disconnected"):
        commit(api, {"a.txt": b"a"})
    assert hub.store.repo("ann/net").main.parent == net


def test_an_upload_can_be_cut_in_its_middle(hub, api, net):
    hub.faults.add("lfs-put", drop_upload_after=100)
    commit(api, {"b.safetensors": bytes(1000)})
    assert [record.status for record in hub.requests.of("lfs-put")][-2:] == [0, 200]


def test_a_commit_that_meets_a_503_fails_at_once(hub, api, net):
    hub.faults.add("commit", status=503)
    with pytest.raises(HfHubHTTPError, match="503"):
        commit(api, {"a.txt": b"a"})
    assert [record.status for record in hub.requests.of("commit")] == [200, 503]


def test_a_download_that_was_cut_is_resumed_where_its_last_ten_mebibytes_end(hub, api, net):
    large = os.urandom(11 * MIB)
    hub.store.plant(hub.store.repo("ann/net"), {"large.bin": large})
    hub.faults.add("cdn", drop_after=len(large) - 1)
    assert read(api, "large.bin") == large
    first, second = hub.requests.of("cdn")
    assert (first.sent, second.sent) == (11 * MIB - 1, MIB)
    assert (second.status, second.headers["Range"]) == (206, f"bytes={10 * MIB}-")


def test_a_short_body_is_noticed_by_the_client_and_a_flipped_byte_is_not(hub, api, net):
    hub.faults.add("cdn", truncate_at=1000)
    with pytest.raises(OSError, match="Consistency check failed"):
        read(api, "net.safetensors")
    hub.faults.add("cdn", flip_at=1000)
    assert read(api, "net.safetensors") != FILES["net.safetensors"]


def test_bytes_can_rot_and_refs_can_be_moved(hub, api, net):
    repo = hub.store.repo("ann/net")
    hub.store.corrupt(repo, "net.safetensors", b"rotten")
    assert raw(hub, "GET", f"/cdn/{repo.main.tree['net.safetensors'].sha256}")[2] == b"rotten"
    api.create_tag("ann/net", tag="v1")
    newer = commit(api, {"a.txt": b"a"}).oid
    repo.move("refs/tags/v1", newer)
    repo.move("refs/heads/main", net)
    assert (api.repo_info("ann/net", revision="v1").sha, api.repo_info("ann/net").sha) == (newer, net)


# A folder of it, a page of it, a process of it


def test_a_folder_outlives_its_server(tmp_path):
    with serve(tmp_path, tokens=TOKENS) as hub:
        api = HfApi(endpoint=hub.url, token="hf_ann")
        api.create_repo("ann/net", private=True)
        made = commit(api, FILES)
        api.create_tag("ann/net", tag="v1")
    with serve(tmp_path, tokens=TOKENS) as hub:
        api = HfApi(endpoint=hub.url, token="hf_ann")
        assert {path: read(api, path, revision="v1") for path in FILES} == FILES
        info = api.repo_info("ann/net")
        assert (info.sha, info.private) == (made.oid, True)
    huggingface_hub.close_session()


def test_the_page_of_a_repository_shows_its_card_and_its_files(hub, net):
    with urlopen(f"{hub.url}/ann/net") as answer:
        page = answer.read().decode()
    assert "# A <small> net" in unescape(page)
    assert "<small>" not in page
    assert all(path in page for path in FILES)
    assert b"ann/net" in raw(hub, "GET", "/")[2]


def test_a_person_can_start_it_from_a_shell(tmp_path):
    words = ["-m", "tests.hub_server", str(tmp_path / "hub"), "--port", "0", "--token", "hf_x=eve"]
    with subprocess.Popen(
        [sys.executable, *words], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = [process.stdout.readline().strip() for _ in range(8)]
            exports = dict(line.removeprefix("export ").split()[0].split("=") for line in said if "export" in line)
            assert exports["HF_HUB_DISABLE_XET"] == "1"
            api = HfApi(endpoint=exports["HF_ENDPOINT"], token=exports["HF_TOKEN"])
            assert api.whoami()["name"] == "eve"
            assert process.stdout.readline() == "200 GET    hub /api/whoami-v2 [whoami]\n"
        finally:
            process.terminate()
            huggingface_hub.close_session()


THROUGH_XET = """
import sys
from pathlib import Path
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token="hf_ann")
api.create_repo("ann/net")
api.upload_folder(repo_id="ann/net", folder_path=sys.argv[2])
folder = Path(api.snapshot_download("ann/net", cache_dir=sys.argv[3]))
assert (folder / "net.safetensors").read_bytes() == Path(sys.argv[2], "net.safetensors").read_bytes()
"""


def test_a_client_with_xet_brings_and_fetches_files_by_xet(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "net.safetensors").write_bytes(os.urandom(100_000))
    settings = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "0"}
    with serve(xet=True) as hub:
        words = ["-c", THROUGH_XET, hub.url, str(tmp_path / "model"), str(tmp_path / "cache")]
        subprocess.run([sys.executable, *words], env={**os.environ, **settings}, check=True, capture_output=True)
        assert len(hub.store.repo("ann/net").main.tree["net.safetensors"].xet) == 64
        assert {"xet-token", "commit"} <= {*hub.requests.kinds}
        assert hub.requests.of("lfs-batch", "lfs-put", "cdn") == []


def test_a_server_without_xet_says_so(hub, net):
    status, headers, _ = raw(hub, "GET", "/api/models/ann/net/xet-read-token/main")
    assert (status, "HF_HUB_DISABLE_XET=1" in headers["X-Error-Message"]) == (404, True)
