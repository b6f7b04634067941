"""Look up values by name in a read-only mapping that refuses ambiguous names and suggests near ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Generic, Protocol, TypeVar

from zoo.errors import AmbiguousNameError, UnknownNameError, did_you_mean, join_names


class Named(Protocol):
    """A value with a name."""

    @property
    def name(self) -> str:
        """Return the name by which it is looked up."""


V = TypeVar("V", bound=Named)
W = TypeVar("W", bound=Named, covariant=True)
Offer = tuple[str, V]
"""The plugin that offers a value, and the value."""


class ValueSource(Named, Protocol[W]):
    """Many values under one prefix, each loaded when it is looked up."""

    def list_names(self) -> tuple[str, ...]:
        """Return the names under the prefix."""

    def get_spec(self, name: str) -> W:
        """Return the value of a name, or raise an `UnknownNameError`."""


def _no_owners() -> frozenset[str]:
    return frozenset()


class Registry(Mapping[str, V], Generic[V]):
    """A read-only mapping from names to values, filled when it is first read.

    A name that one plugin offers is a key. A name that several plugins offer belongs to the one in `protected_owners`
    (zoo's own plugins). If none of them is, the keys are `plugin:name`. Values of a source are looked up by
    `prefix:name` and listed by `find("prefix:*")`, but they are neither counted nor iterated over.

    Args:
        kind: The kind of value, for messages: `model`.
        offers: Returns (plugin, value) pairs; called whenever the registry is read.
        protected_owners: Returns the plugins whose names no other plugin can take.
        sources: The sources of more values, by prefix.
        hint: Returns an addition to the message for an unknown name, such as which plugins are not used.
    """

    def __init__(
        self,
        kind: str,
        offers: Callable[[], Sequence[Offer[V]]],
        protected_owners: Callable[[], frozenset[str]] = _no_owners,
        sources: Registry[ValueSource[V]] | None = None,
        hint: Callable[[], str] = str,
    ) -> None:
        self._kind = kind
        self._offers = offers
        self._protected_owners = protected_owners
        self._sources = sources
        self._hint = hint
        self._indexed_offers: Sequence[Offer[V]] | None = None
        self._index: dict[str, list[Offer[V]]] = {}

    def _index_by_name(self) -> dict[str, list[Offer[V]]]:
        """Return the offers by name without prefix; the index is rebuilt if `offers` returns another object."""
        offers = self._offers()
        if offers is not self._indexed_offers:
            index: dict[str, list[Offer[V]]] = {}
            for offer in offers:
                index.setdefault(offer[1].name, []).append(offer)
            self._indexed_offers, self._index = offers, index
        return self._index

    def owners(self, name: str) -> tuple[str, ...]:
        """Return the plugins that offer `name`, sorted."""
        return tuple(sorted({plugin for plugin, _ in self._index_by_name().get(name, ())}))

    def clashes(self) -> dict[str, tuple[str, ...]]:
        """Return each name that several plugins offer, with its owners."""
        return {name: self.owners(name) for name, offers in sorted(self._index_by_name().items()) if len(offers) > 1}

    def find(self, pattern: str = "*") -> list[V]:
        """Return the values whose name, or `plugin:name`, matches a glob such as `gcn-*`, sorted by name.

        A pattern without `*`, `?` or `[` is searched for in names, summaries and tags. A pattern with a source's
        prefix, such as `timm:*`, lists the source's values.
        """
        return [self[key] for key in self.find_keys(pattern)]

    def find_keys(self, pattern: str) -> list[str]:
        """Return the keys of the values that `find` returns."""
        keys = [key for key in self if self._matches(key, pattern.lower())]
        prefix, colon, name_pattern = pattern.rpartition(":")
        if colon and self._sources is not None and prefix in self._sources:
            names = self._sources[prefix].list_names()
            keys += [f"{prefix}:{name}" for name in names if _is_match(name, name_pattern.lower())]
        return keys

    def _matches(self, key: str, pattern: str) -> bool:
        owner, value = self._resolve(key)
        if any(mark in pattern for mark in "*?["):
            full_name = f"{owner}:{value.name}".lower()
            return fnmatchcase(value.name, pattern) or fnmatchcase(full_name, pattern)
        texts = (key, getattr(value, "summary", ""), *getattr(value, "tags", ()))
        return any(pattern in text.lower() for text in texts)

    def owner(self, key: str) -> str:
        """Return the plugin that offers the value of a key."""
        plugin, _ = self._resolve(key)
        return plugin

    def __getitem__(self, key: str) -> V:
        return self._resolve(key)[1]

    def _resolve(self, key: str) -> Offer[V]:
        plugin, colon, name = str(key).rpartition(":")
        matches = [offer for offer in self._index_by_name().get(name, ()) if not colon or offer[0] == plugin]
        if len(matches) > 1:
            protected = self._protected_owners()
            matches = [offer for offer in matches if offer[0] in protected] or matches
        if len(matches) == 1:
            return matches[0]
        if matches:
            full_names = join_names(f"{owner}:{name}" for owner in self.owners(name))
            raise AmbiguousNameError(
                f"{len(matches)} plugins offer the {self._kind} {name!r}; choose one: {full_names}"
            )
        if colon and self._sources is not None and (plugin in self._sources or self._sources.owners(plugin)):
            return self._sources.owner(plugin), self._sources[plugin].get_spec(name)
        raise UnknownNameError(self._unknown_message(str(key)))

    def _unknown_message(self, key: str) -> str:
        suggestion = did_you_mean(key, self)
        names = join_names(self) or "nothing: no plugin offers any (see: zoo plugins)"
        return f"no {self._kind} named {key!r}{suggestion or f'; there is {names}'}{self._hint()}"

    def __iter__(self) -> Iterator[str]:
        clashes, protected = self.clashes(), self._protected_owners()
        for plugin, value in sorted(self._offers(), key=lambda offer: (offer[1].name, offer[0])):
            is_unambiguous = value.name not in clashes or plugin in protected
            yield value.name if is_unambiguous else f"{plugin}:{value.name}"

    def __len__(self) -> int:
        return len(self._offers())

    def __contains__(self, key: object) -> bool:
        try:
            self._resolve(str(key))
        except (UnknownNameError, AmbiguousNameError):
            return False
        return True

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind}s: {join_names(self)}>"


def _is_match(name: str, pattern: str) -> bool:
    """Return whether a name of a source matches a glob, or contains a pattern without wildcards."""
    lower = name.lower()
    return fnmatchcase(lower, pattern) if any(mark in pattern for mark in "*?[") else pattern in lower
