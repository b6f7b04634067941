"""Serve a folder of repositories to a person's own client: `python -m tests.hub_server FOLDER`."""

import argparse
import threading
from functools import partial

from .access import User
from .server import ANN, Server, serve

NEEDED = """Serving {folder} at {url}. In another shell:

    export HF_ENDPOINT={url}
    export HF_TOKEN={token}          # {name}
    export HF_HUB_DISABLE_XET=1

Open {url}/ to look at the repositories. Ctrl-C ends the server; the folder keeps them.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hub_server", description=__doc__)
    parser.add_argument("folder", help="where repositories are kept; made if it is not there")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument(
        "--token", action="append", default=[], metavar="WORD=NAME[+ORG...]", help="a token and its user"
    )
    return parser.parse_args()


def tokens(given: list[str]) -> dict[str, User]:
    """Read tokens such as `hf_ann=ann+lab`: ann, who writes for herself and for lab."""
    pairs = [each.partition("=")[::2] for each in given]
    return {word: User(name.split("+")[0], orgs=tuple(name.split("+")[1:])) for word, name in pairs} or dict(ANN)


def wait(hub: Server) -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print(f"\n{len(hub.requests)} requests served.")


def main() -> None:
    given = arguments()
    with serve(given.folder, port=given.port, tokens=tokens(given.token), say=partial(print, flush=True)) as hub:
        token, user = next(iter(hub.tokens.items()))
        print(NEEDED.format(folder=given.folder, url=hub.url, token=token, name=user.name), flush=True)
        wait(hub)


if __name__ == "__main__":
    main()
