"""Publish a saved model to a Hub, and load one from it. The door to huggingface_hub is `zoo.hub.client`."""

from __future__ import annotations

from zoo.hub.cache import Pulled
from zoo.hub.client import Client, is_offline
from zoo.hub.fetch import fetch
from zoo.hub.lockfile import Pin, Pins
from zoo.hub.publication import FilePlan, Publication
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.saving.hub_reference import Reference
from zoo.saving.reference import is_hub

__all__ = [
    "Client",
    "FilePlan",
    "Pin",
    "Pins",
    "Publication",
    "Pulled",
    "Reference",
    "fetch",
    "is_hub",
    "is_offline",
    "pull",
    "push",
]
