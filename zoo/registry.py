"""A read-only shelf of values by name, which refuses doubles and suggests near names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Generic, Protocol, TypeVar

from zoo.errors import AmbiguousNameError, UnknownNameError, did_you_mean, listed


class Named(Protocol):
    """A value with a name."""

    @property
    def name(self) -> str:
        """Return the name it is found by."""


V = TypeVar("V", bound=Named)
Offer = tuple[str, V]
"""The plugin that offers a value, and the value."""


class Registry(Mapping[str, V], Generic[V]):
    """Values by name, filled when first read.

    A name offered once is found by itself. A name offered by several plugins belongs to the one listed in `holders`
    (zoo's own), or to none of them: then only `plugin:name` finds the values.

    Args:
        what: What the shelf holds, for messages: `model`.
        offers: Returns (plugin, value) pairs; called at the first look.
        holders: Plugins whose names nobody else can take.
    """

    def __init__(
        self, what: str, offers: Callable[[], Sequence[Offer[V]]], holders: Callable[[], frozenset[str]]
    ) -> None:
        self._what = what
        self._offers = offers
        self._holders = holders

    def owners(self, name: str) -> tuple[str, ...]:
        """Return the plugins that offer `name`, sorted."""
        return tuple(sorted({plugin for plugin, value in self._offers() if value.name == name}))

    def clashes(self) -> dict[str, tuple[str, ...]]:
        """Return each name that several plugins offer, with its owners."""
        owners = {value.name: self.owners(value.name) for _, value in self._offers()}
        return {name: plugins for name, plugins in sorted(owners.items()) if len(plugins) > 1}

    def find(self, pattern: str = "*") -> list[V]:
        """Return the values whose name, or `plugin:name`, matches a glob such as `gcn-*`, sorted by name.

        A pattern without `*`, `?` or `[` is looked for inside names, summaries and tags.
        """
        return [self[key] for key in self.keys_like(pattern)]

    def keys_like(self, pattern: str) -> list[str]:
        """Return the keys of what `find` finds."""
        return [key for key in self if self._matches(key, pattern.lower())]

    def _matches(self, key: str, pattern: str) -> bool:
        owner, value = self._resolve(key)
        if any(mark in pattern for mark in "*?["):
            full = f"{owner}:{value.name}".lower()
            return fnmatchcase(value.name, pattern) or fnmatchcase(full, pattern)
        words = (key, getattr(value, "summary", ""), *getattr(value, "tags", ()))
        return any(pattern in word.lower() for word in words)

    def owner(self, key: str) -> str:
        """Return the plugin that offers what `self[key]` is."""
        plugin, _ = self._resolve(key)
        return plugin

    def __getitem__(self, key: str) -> V:
        return self._resolve(key)[1]

    def _resolve(self, key: str) -> Offer[V]:
        plugin, colon, name = str(key).rpartition(":")
        matches = [offer for offer in self._offers() if offer[1].name == name and (not colon or offer[0] == plugin)]
        held = [offer for offer in matches if offer[0] in self._holders()]
        matches = held if held else matches
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise UnknownNameError(self._unknown(str(key)))
        full = listed(f"{owner}:{name}" for owner in self.owners(name))
        raise AmbiguousNameError(f"{len(matches)} plugins offer the {self._what} {name!r}; say which: {full}")

    def _unknown(self, key: str) -> str:
        near = did_you_mean(key, self)
        shelf = listed(self) or "nothing: no plugin offers any (see: zoo plugins)"
        return f"no {self._what} named {key!r}{near or f'; there is {shelf}'}"

    def __iter__(self) -> Iterator[str]:
        clashes = self.clashes()
        for plugin, value in sorted(self._offers(), key=lambda offer: (offer[1].name, offer[0])):
            is_plain = value.name not in clashes or plugin in self._holders()
            yield value.name if is_plain else f"{plugin}:{value.name}"

    def __len__(self) -> int:
        return len(self._offers())

    def __contains__(self, key: object) -> bool:
        try:
            self._resolve(str(key))
        except (UnknownNameError, AmbiguousNameError):
            return False
        return True

    def __repr__(self) -> str:
        return f"<{len(self)} {self._what}s: {listed(self)}>"
