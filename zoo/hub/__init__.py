"""Publish saved models to a Hugging Face Hub, and download them.

`push` plans a commit (`plan`), sends it (`commit`) and tags it. `pull` and `fetch_third_party` resolve a reference to a
commit, and `download` it into the `RepoCache`. All requests go through `client`, the only module that imports
huggingface_hub: each is guarded (`http_guard`), retried (`retry`), and its errors become those of zoo
(`error_translation`).
"""

from __future__ import annotations

from zoo.hub.cache import PullResult
from zoo.hub.client import HubClient, is_offline
from zoo.hub.fetch import fetch_third_party
from zoo.hub.lockfile import Pin, Pins
from zoo.hub.plan import FilePlan, PushResult
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.saving.reference import HubReference, is_hub_reference

__all__ = [
    "FilePlan",
    "HubClient",
    "HubReference",
    "Pin",
    "Pins",
    "PullResult",
    "PushResult",
    "fetch_third_party",
    "is_hub_reference",
    "is_offline",
    "pull",
    "push",
]
