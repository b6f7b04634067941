"""The other way to move LFS files: the client stores and reads them itself, and asks here only where and under what."""

import time
from urllib.parse import quote

from .commit import Commit, File
from .exchange import Answer, Request, as_json
from .refusal import Refusal
from .repo import Repo

SECONDS = 3600


def token(request: Request, repo: Repo, rev: str) -> Answer:
    """Name the folder that stands for Xet's storage; its client can write there as it would to the real one."""
    if request.store.xet is None:
        raise Refusal(404, "this server keeps nothing by Xet: start it with xet, or set HF_HUB_DISABLE_XET=1")
    request.store.xet.mkdir(exist_ok=True)
    place, until = f"local://{request.store.xet}", int(time.time()) + SECONDS
    told = {"X-Xet-Cas-Url": place, "X-Xet-Access-Token": "any", "X-Xet-Token-Expiration": str(until)}
    return as_json({"casUrl": place, "accessToken": "any", "exp": until}, headers=told)


def reference(request: Request, repo: Repo, commit: Commit, file: File) -> dict[str, str]:
    """Return the headers that send a client with Xet to Xet."""
    route = f"{request.url}/api/{repo.kind}s/{quote(repo.id)}/xet-read-token/{commit.oid}"
    return {"X-Xet-Hash": file.xet or "", "Link": f'<{route}>; rel="xet-auth"'}
