"""Publishing: what arrives, what is left alone, what is refused."""

from tests.hub import artifact
from tests.hub.served import kept
from zoo.hub import pull, push


def test_what_was_pushed_is_what_was_saved(hub, folder):
    done = push(folder, "ann/model", tag="v1")
    assert kept(hub) == artifact.files(1)
    assert done.is_new_commit
    assert done.is_new_repo
    assert kept(hub, at="v1") == kept(hub)
    print(hub.requests.kinds)


def test_what_was_pushed_is_pulled(hub, folder):
    push(folder, "ann/model", tag="v1")
    pulled = pull("hf:ann/model@v1")
    assert {path.name: path.read_bytes() for path in pulled.folder.iterdir()} == artifact.files(1)
    assert pulled.commit == hub.store.repo("ann/model").at("v1").oid
    print(hub.requests.kinds)
    assert pull("hf:ann/model@v1").source == "cache"
