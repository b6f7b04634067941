"""Test the rules for requests and responses, with stand-ins for the client's own objects."""

from types import SimpleNamespace

import pytest

from zoo.errors import HubUntrustedError
from zoo.hub.http_guard import HttpGuard, is_file_path, is_loopback, is_unencrypted, parse_origin

HOME = "https://hub.example"
HEADERS = {"authorization": "Bearer hf_secret"}


def request(url, method="GET", **how):
    return SimpleNamespace(url=url, method=method, headers=dict(HEADERS), extensions=how)


def answer(url, headers, *, status=200, method="GET"):
    return SimpleNamespace(request=request(url, method), headers=headers, status_code=status)


@pytest.mark.parametrize("url", [f"{HOME}:443/api", "https://HUB.example/x"])
def test_the_token_goes_to_its_own_endpoint(url):
    asked = request(url)
    HttpGuard(endpoint=HOME).check_request(asked)
    assert "authorization" in asked.headers


@pytest.mark.parametrize(
    "url", ["https://hub.example:8443/", "https://hub.example.evil.example/", "https://evil.example"]
)
def test_the_token_goes_nowhere_else(url):
    asked = request(url)
    HttpGuard(endpoint=HOME).check_request(asked)
    assert "authorization" not in asked.headers


def test_encryption_is_not_given_up():
    with pytest.raises(HubUntrustedError, match="without encryption"):
        HttpGuard(endpoint=HOME).check_request(request("http://hub.example/"))


def test_each_request_has_a_limit_of_time():
    asked = request(HOME, timeout={"connect": None, "read": 10.0, "write": 900.0, "pool": None})
    HttpGuard(endpoint=HOME, timeout=60.0).check_request(asked)
    assert asked.extensions["timeout"] == {"connect": 60.0, "read": 10.0, "write": 60.0, "pool": 60.0}


def test_the_client_asks_no_other_hub_what_programs_there_are():
    with pytest.raises(HubUntrustedError):
        HttpGuard(endpoint="https://mirror.example").check_request(request(f"{HOME}/api/agent-harnesses"))


STORES = ("local:///etc", "memory://", "http://10.0.0.1/", "file:///etc", "")


@pytest.mark.parametrize("store", STORES)
def test_large_files_lie_on_the_web(store):
    said = answer(f"{HOME}/api/models/a/b/xet-read-token/main", {"x-xet-cas-url": store})
    with pytest.raises(HubUntrustedError, match="keeps files at"):
        HttpGuard(endpoint=HOME).check_response(said)


@pytest.mark.parametrize(
    "headers", [{"link": '<https://evil.example/t>; rel="xet-auth"'}, {"x-xet-refresh-route": "https://evil.example/t"}]
)
def test_keys_of_a_storage_are_requested_from_the_endpoint_only(headers):
    with pytest.raises(HubUntrustedError, match=r"requests the token for 'evil\.example'"):
        HttpGuard(endpoint=HOME).check_response(answer(f"{HOME}/a/b/resolve/main/x", headers, method="HEAD"))


def test_a_mirror_may_name_the_public_hub():
    headers = {"link": f'<https://store.example/x>; rel="other", <{HOME}/api/t>; rel="xet-auth"'}
    guard = HttpGuard(endpoint="https://mirror.example", public_endpoint=HOME)
    guard.check_response(answer("https://mirror.example/a/b/resolve/main/x", headers, method="HEAD"))


@pytest.mark.parametrize(
    ("path", "is_file"),
    [("/a/b/resolve/main/x", True), ("/api/models/a/resolve/revision/main", False), ("/api/models/a/b", False)],
)
def test_paths_of_files_are_distinguished_from_paths_of_the_api(path, is_file):
    assert is_file_path(path) == is_file


@pytest.mark.parametrize(
    "url", ["http://localhost:80", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:8080/x"]
)
def test_this_machine_needs_no_encryption(url):
    assert is_loopback(url)
    assert not is_unencrypted(url)


@pytest.mark.parametrize(
    "url", ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://0.0.0.0", "ws://localhost"]
)
def test_other_machines_do(url):
    assert is_unencrypted(url)


def test_origins_are_compared_whole():
    assert (
        parse_origin("https://Hub.example/x")
        == parse_origin("https://hub.example:443")
        != parse_origin("http://hub.example")
    )
