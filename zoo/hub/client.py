"""Call huggingface_hub: guard and retry each request, and translate each error. No other module imports it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from zoo.errors import HubUnreachableError, HubUntrustedError
from zoo.hub.error_translation import RequestContext, translate_error
from zoo.hub.http_guard import guard_requests, is_unencrypted, parse_origin
from zoo.hub.retry import call_with_retries
from zoo.saving.reference import HubReference

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub import HfApi as HfApi

TRUE_VALUES = {"1", "ON", "YES", "TRUE"}
PROGRESS_BAR_BYTES = 1 << 20
"""Smallest download in bytes that shows a progress bar."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class HubClient:
    """Call the API of one endpoint. The token is looked up for each request and stored nowhere."""

    endpoint: str

    @classmethod
    def from_environment(cls) -> HubClient:
        """Return the client of the endpoint that the environment names.

        Raises:
            HubUntrustedError: The endpoint is not a web address, or is not encrypted.
        """
        return cls(endpoint=_check_endpoint(os.environ.get("HF_ENDPOINT") or _get_configured_endpoint()))

    @property
    def is_default(self) -> bool:
        """Whether this is the public Hub."""
        return self.endpoint == _get_public_endpoint()

    def call_api(self, call: Callable[[HfApi], T], *, problem: str, repo_id: str = "") -> T:
        """Call a function with the client's API object and return its result.

        Args:
            call: The function.
            problem: Begins the message of an error: "cannot ...".
            repo_id: The repository, for the message of an error.

        Raises:
            HubError: The call failed, also when repeated; the message never holds the token.
        """
        if is_offline():
            raise HubUnreachableError(f"{problem}: zoo is offline; unset HF_HUB_OFFLINE to reach {self.endpoint}")
        try:
            return call_with_retries(lambda: self._call_once(call))
        except Exception as error:
            failure = translate_error(
                error, RequestContext(problem=problem, repo_id=repo_id, endpoint=self.endpoint, token=_get_token())
            )
        raise failure  # outside the block, so that the client's error, which may hold the token, is not its context

    def _call_once(self, call: Callable[[HfApi], T]) -> T:
        from huggingface_hub import HfApi, get_session

        with guard_requests(get_session(), self.endpoint, _get_public_endpoint()), _hide_progress_bars():
            return call(HfApi(endpoint=self.endpoint, library_name="zoo-models", library_version=_get_zoo_version()))

    def download(self, reference: HubReference, name: str, *, commit: str, size: int, folder: Path) -> None:
        """Download one file of a commit into a folder; stop if it is larger than `size` bytes.

        The client's shared cache is bypassed: its files are not checked, and a server could make it write beside them.

        Raises:
            HubError: The download failed.
        """
        self.call_api(
            lambda api: api.hf_hub_download(
                reference.repo_id,
                name,
                revision=commit,
                local_dir=folder,
                force_download=True,
                tqdm_class=_make_progress_bar(size, name),
            ),
            problem=f"cannot download {name} of {reference}",
            repo_id=reference.repo_id,
        )

    def find_cached(self, reference: HubReference, name: str, *, commit: str | None = None) -> Path | None:
        """Return the path of a file in the client's own cache, or None; its bytes are not checked."""
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(reference.repo_id, name, revision=commit or reference.revision)
        return Path(path) if isinstance(path, str) and Path(path).is_file() else None


def make_operations(files: Mapping[str, bytes]) -> list[CommitOperationAdd]:
    """Return files as the client takes them for a commit."""
    from huggingface_hub import CommitOperationAdd

    return [CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in files.items()]


def is_offline() -> bool:
    """Return whether the environment forbids requests to any Hub, now or when the client was imported."""
    if any(os.environ.get(name, "").upper() in TRUE_VALUES for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")):
        return True
    constants = sys.modules.get("huggingface_hub.constants")
    return bool(constants and constants.HF_HUB_OFFLINE)


def get_assets_folder() -> Path:
    """Return the client's folder for files of other libraries."""
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE).expanduser()


def _get_public_endpoint() -> str:
    from huggingface_hub import constants

    return str(constants._HF_DEFAULT_ENDPOINT)


def _get_configured_endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _check_endpoint(text: str) -> str:
    endpoint = text.rstrip("/")
    scheme, host, _ = parse_origin(endpoint)
    if scheme not in ("http", "https") or not host or any(bad in endpoint for bad in "@?#\\"):
        raise HubUntrustedError("HF_ENDPOINT is not an address of the form https://host; correct it or unset it")
    if is_unencrypted(endpoint) and os.environ.get("ZOO_HUB_INSECURE") != "1":
        raise HubUntrustedError(
            f"requests to {endpoint}, and the token, would not be encrypted; use https, "
            "or set ZOO_HUB_INSECURE=1 if you trust the whole network"
        )
    return endpoint


def _get_token() -> str | None:
    from huggingface_hub import get_token

    try:
        return get_token()
    except Exception:  # the client may read it from a keyring that fails; without a token there is nothing to mask
        return None


def _get_zoo_version() -> str:
    try:
        return version("zoo-models")
    except PackageNotFoundError:
        return "0"


def _hide_progress_bars() -> AbstractContextManager[object]:
    """Hide progress bars outside a terminal; the client would write some of them to log files."""
    from huggingface_hub import constants, utils

    is_configured = constants.HF_HUB_DISABLE_PROGRESS_BARS is not None
    if is_configured or (sys.stderr is not None and sys.stderr.isatty()):
        return nullcontext()
    return utils.disable_progress_bars()  # type: ignore[attr-defined, no-any-return]


def _make_progress_bar(size: int, name: str) -> Any:
    """Return the class of a progress bar that stops a download of more than `size` bytes."""
    from huggingface_hub import utils

    class Bar(utils.tqdm):  # type: ignore[misc, name-defined]
        """The client's bar, shown for large files only."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["desc"] = name
            if size < PROGRESS_BAR_BYTES:
                kwargs["disable"] = True
            self.remaining = size - (kwargs.get("initial") or 0)
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            self.remaining -= int(n or 0)
            if self.remaining < 0:
                raise HubUntrustedError(f"{name} is longer than the {size} bytes that the Hub lists; stopped")
            return super().update(n)  # type: ignore[no-any-return]

    return Bar
