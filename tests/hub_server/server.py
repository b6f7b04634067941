"""A server in this process, on loopback, from `serve()` to `close()`."""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from .access import User
from .exchange import Setting
from .faults import Faults
from .handler import Handler
from .log import Log
from .store import Store

MIB = 1 << 20
ANN = {"hf_ann": User("ann")}


class Listener(ThreadingHTTPServer):
    """The listening socket, which knows its open connections so that none outlives it."""

    request_queue_size = 128

    def __init__(self, hub: "Server", port: int):
        self.hub = hub
        self.open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        """Serve a connection in a thread of its own."""
        serve = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open[request] = serve
        serve.start()

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self.open[request]

    def hang_up(self) -> None:
        """End every connection and wait for the threads that served them."""
        for connection, thread in list(self.open.items()):
            with suppress(OSError):  # it ended by itself
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(5)


class Server:
    """A running Hub: its address, its repositories, the log of its requests, and the faults to come."""

    def __init__(
        self,
        *,
        setting: Setting,
        tokens: Mapping[str, User],
        port: int,
        log: Log,
        scratch: TemporaryDirectory[str] | None,
    ):
        self.setting = setting
        self.tokens = dict(tokens)
        self.requests = log
        self.faults = Faults()
        self.closing = threading.Event()
        self._scratch = scratch
        self._listener = Listener(self, port)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def store(self) -> Store:
        return self.setting.store

    @property
    def port(self) -> int:
        return self._listener.server_address[1]

    @property
    def url(self) -> str:
        """What to give a client as its endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cdn_name(self) -> str:
        """The host name under which this same server is someone else: LFS bytes come and go there."""
        return "localhost"

    @property
    def cdn_url(self) -> str:
        return f"http://{self.cdn_name}:{self.port}"

    def close(self) -> None:
        """Stop serving; what a folder was given for stays in it."""
        self.closing.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()
        if self._scratch:
            self._scratch.cleanup()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *raised) -> None:
        self.close()


def serve(
    folder: Path | str | None = None,
    *,
    port: int = 0,
    tokens: Mapping[str, User] = ANN,
    lfs_over: int = 10 * MIB,
    part_size: int = 64 * MIB,
    page_size: int = 1000,
    xet: bool = False,
    say: Callable[[str], object] | None = None,
) -> Server:
    """Start a server and return it; leave it by `with`, or close it.

    Args:
        folder: Where repositories persist; a folder that goes with the server unless given.
        port: 0 takes a free one.
        tokens: What each token may do.
        lfs_over: Bytes; a larger file is LFS, as are `*.safetensors`, `*.bin` and their like at any size.
        part_size: Bytes; a larger LFS file is uploaded in parts.
        page_size: Entries on a page of a listing.
        xet: Let Xet's client keep LFS files in a folder: for one client process at a time, and for none without Xet.
            Without this, a client that has not set HF_HUB_DISABLE_XET fails at its first LFS file.
        say: Called with one line per answered request.
    """
    scratch = TemporaryDirectory(prefix="hub-") if folder is None else None
    place = Path(scratch.name if scratch else folder).absolute()
    store = Store(place, xet=place / "xet" if xet else None)
    setting = Setting(store=store, lfs_over=lfs_over, part_size=part_size, page_size=page_size)
    return Server(setting=setting, tokens=tokens, port=port, log=Log(say), scratch=scratch)
