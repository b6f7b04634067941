"""Offer values to this process as an installed plugin does."""

from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin


def offer(monkeypatch, *values, plugin="zoo_subject", distribution="zoo-subject"):
    """Add values to the registries until the test ends, and return the name of the first."""
    added = Plugin(name=plugin, distribution=distribution, version="1", target=plugin, offers=values)
    monkeypatch.setattr(CATALOG, "_plugins", (*CATALOG.plugins(), added))
    monkeypatch.setattr(CATALOG, "_offers", {})
    return values[0].name
