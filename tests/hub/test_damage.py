"""Test that damaged downloads are repeated once, damage in the cache is noticed, and neither is used (line 24)."""

import pytest
from huggingface_hub import hf_hub_download

from tests.hub import artifact
from tests.hub.conftest import LONG
from zoo.errors import HubUnreachableError
from zoo.hub import pull
from zoo.saving.folder import CONFIG, FILES, HISTORY, WEIGHTS

HASHED = (CONFIG, WEIGHTS, HISTORY)
PLACES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999) if LONG else (0, 0.5, 0.999)


def fault_on(hub, name: str, *, times: int | None, **how) -> None:
    kind, path = ("cdn", "*") if name == WEIGHTS else ("resolve-get", f"*/{name}")
    hub.faults.add(kind, path=path, times=times, **how)


def offsets(name: str) -> list[int]:
    return sorted({int(share * len(artifact.files(1)[name])) for share in PLACES})


def lies_here(pulled) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in pulled.folder.iterdir()}


@pytest.mark.reliability
def test_bytes_changed_on_the_way_are_fetched_again(planted, impatient, monkeypatch, tmp_path):
    healed, cells = 0, 0
    for name in FILES:
        for how in [{"flip_at": offset} for offset in offsets(name)] + [
            {"truncate_at": offset} for offset in offsets(name)
        ]:
            cells += 1
            monkeypatch.setenv("ZOO_CACHE", str(tmp_path / f"cache-{cells}"))
            fault_on(planted, name, times=1, **how)
            healed += lies_here(pull("hf:ann/model")) == artifact.files(1)
            assert len(planted.faults) == 0
    print(f"line 24: {healed} of {cells} flips and cuts on the way noticed, and fetched again once")
    assert healed == cells


@pytest.mark.reliability
def test_bytes_changed_every_time_are_refused(planted, tmp_path):
    refused = 0
    for name in FILES:
        fault_on(planted, name, times=None, flip_at=-1)
        planted.requests.clear()
        with pytest.raises(HubUnreachableError, match=f"{name} of hf:ann/model arrived damaged"):
            pull("hf:ann/model")
        refused += not [*(tmp_path / "cache").glob("*/*/[0-9a-f]*")]
        assert len([each for each in planted.requests.of("resolve-get", "cdn") if each.status == 200]) == len(FILES) + 1
        planted.faults.clear()
    print(f"line 24: {refused} of {len(FILES)} files that always arrive changed refused, nothing kept")
    assert refused == len(FILES)


def test_the_client_alone_would_take_a_flipped_byte(planted, tmp_path):
    fault_on(planted, HISTORY, times=1, flip_at=3)
    path = hf_hub_download("ann/model", HISTORY, endpoint=planted.url, local_dir=tmp_path / "plain")
    with open(path, "rb") as file:
        assert file.read() != artifact.files(1)[HISTORY]


def damages(name: str):
    """Yield damaged versions of a file in the cache; None is a missing file."""
    data = artifact.files(1)[name]
    for offset in offsets(name):
        yield data[:offset]
        yield data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
    yield None


@pytest.mark.reliability
def test_damage_in_the_cache_is_noticed_and_downloaded_again(planted, monkeypatch):
    first = pull("hf:ann/model")
    noticed, healed, cells = 0, 0, 0
    for name in HASHED:
        for data in damages(name):
            cells += 1
            for offline in ("1", "0"):
                (first.folder / name).unlink(missing_ok=True)
                if data is not None:
                    (first.folder / name).write_bytes(data)
                monkeypatch.setenv("HF_HUB_OFFLINE", offline)
                if offline == "1":
                    with pytest.raises(HubUnreachableError, match=f"{name}.*zoo is offline"):
                        pull("hf:ann/model")
                    noticed += 1
            with pytest.warns(UserWarning, match=f"{name}.*fetching it again"):
                healed += pull("hf:ann/model").source == "hub"
            assert lies_here(first) == artifact.files(1)
    print(f"line 24: {noticed} of {cells} damages in the cache noticed offline, {healed} healed online")
    assert noticed == healed == cells


def test_an_edited_card_is_not_damage(planted):
    first = pull("hf:ann/model")
    (first.folder / "README.md").write_text("mine")
    assert pull("hf:ann/model").source == "cache"
