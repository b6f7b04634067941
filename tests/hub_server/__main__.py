"""Serve a folder of repositories to a person's own client: `python -m tests.hub_server FOLDER`."""

import argparse
import threading
from functools import partial

from .access import User
from .server import ANN, Server, serve

TOKEN = "a token and who it is: `hf_ann=ann+lab` is ann, who writes for herself and for lab (default: hf_ann=ann)"
NEEDED = """Serving {folder} at {url}. In another shell:

    export HF_ENDPOINT={url}
    export HF_TOKEN={token}          # {name}
    export HF_HUB_DISABLE_XET=1

Open {url}/ to look at the repositories. Ctrl-C ends the server; the folder keeps them.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hub_server", description=__doc__)
    parser.add_argument("folder", help="where repositories are kept; made if it is not there")
    parser.add_argument("--port", type=int, default=8765, help="default: %(default)s")
    parser.add_argument("--token", action="append", default=[], metavar="WORD=NAME[+ORG...][:read]", help=TOKEN)
    return parser.parse_args()


def tokens(given: list[str]) -> dict[str, User]:
    """Return who each token speaks for."""
    pairs = (each.partition("=")[::2] for each in given)
    return {word: user(text) for word, text in pairs} or dict(ANN)


def user(text: str) -> User:
    """Read a user such as `ann+lab:read`."""
    names, _, role = text.partition(":")
    name, *orgs = names.split("+")
    return User(name, role=role or "write", orgs=tuple(orgs))


def started(given: argparse.Namespace) -> Server:
    try:
        return serve(given.folder, port=given.port, tokens=tokens(given.token), say=partial(print, flush=True))
    except OSError as error:
        raise SystemExit(f"port {given.port} cannot be had ({error.strerror}); give another with --port") from None


def main() -> None:
    given = arguments()
    with started(given) as hub:
        token, owner = next(iter(hub.tokens.items()))
        print(NEEDED.format(folder=given.folder, url=hub.url, token=token, name=owner.name), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"\n{len(hub.requests)} requests served.")


if __name__ == "__main__":
    main()
