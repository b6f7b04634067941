"""Publish a saved model to a Hub, and load one from it. The door to huggingface_hub is `zoo.hub.client`."""

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
