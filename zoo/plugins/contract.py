"""Ask one plugin what it offers, alone, and check the answer."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any

import pluggy

from zoo.errors import PluginError, did_you_mean, join_names
from zoo.plugins import hookspecs as hooks
from zoo.plugins.discovery import SPEC_TYPES

MAX_OFFERS = 10_000
HOOK_NAMES = tuple(f"zoo_{kind}" for kind in SPEC_TYPES)
UNKNOWN_HOOK_PATTERN = re.compile(r"unknown hook '(\w+)'")


@dataclass(frozen=True, kw_only=True)
class HookResults:
    """What a plugin offers, and what its author should know about the contract it uses."""

    offers: tuple[Any, ...]
    notes: tuple[str, ...] = ()


class Contract:
    """The hooks as one module states them; plugins are asked one after the other, each alone.

    Args:
        hookspecs: The module that states the hooks.
        supported_api: The lowest and the highest version of the contract that a plugin may be written for.
        extra_arguments: Arguments of the hooks by name, beside `host`.
    """

    def __init__(
        self,
        hookspecs: ModuleType = hooks,
        supported_api: tuple[int, int] = hooks.SUPPORTED_API,
        extra_arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self._hookspecs = hookspecs
        self._supported_api = supported_api
        self._extra_arguments = dict(extra_arguments or {})
        self._manager: pluggy.PluginManager | None = None

    def collect(self, name: str, module: Any, *, version: str = "") -> HookResults:
        """Register a plugin alone, call its hooks, and check what they return.

        Args:
            name: The plugin's name.
            module: What its entry point names.
            version: The version of the zoo that asks.

        Raises:
            PluginError: It is written for another version, has no hook, or returns something else.
            Exception: Whatever its own code raises.
        """
        notes = self._check_api_version(module)
        manager, self._manager = (
            self._manager or self._new_manager(),
            None,
        )  # one in which a plugin failed is not used again
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            _register(manager, module, name)
        if not manager.get_hookcallers(module):
            bare = [hook for hook in HOOK_NAMES if callable(getattr(module, hook, None))]
            mend = f"write @zoo.hookimpl above {join_names(bare)}" if bare else f"zoo knows {join_names(HOOK_NAMES)}"
            raise PluginError(f"it implements no hook; {mend}")
        offers = self._call_hooks(manager, version)
        manager.unregister(module)
        self._manager = manager
        return HookResults(offers=offers, notes=(*notes, *(_one_line(each.message) for each in told)))

    def _new_manager(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager("zoo")
        manager.add_hookspecs(self._hookspecs)
        return manager

    def _check_api_version(self, module: Any) -> tuple[str, ...]:
        """Judge the contract version that a plugin declares; the host decides, not the plugin."""
        lowest, highest = self._supported_api
        declared = getattr(module, "zoo_api", None)
        if declared is None:
            return (f"it declares no zoo_api, so version {lowest} is assumed; write zoo_api = {highest} in its module",)
        low, high = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
        if not isinstance(low, int) or not isinstance(high, int):
            raise PluginError(f"zoo_api is a number or a pair of numbers, not {declared!r}")
        told = f"it is written for plugin API {_format_range(low, high)}, this zoo speaks {_format_range(*self._supported_api)}"
        if high < lowest or low > highest:
            raise PluginError(f"{told}; {'upgrade zoo-models' if low > highest else 'upgrade the plugin'}")
        if high < highest:
            return (f"{told}; plugin API {highest + 1} drops {high}, so it needs a version for {highest} by then",)
        return ()

    def _call_hooks(self, manager: pluggy.PluginManager, version: str) -> tuple[Any, ...]:
        arguments = {"host": hooks.Host(version=version, api=self._supported_api[1]), **self._extra_arguments}
        offers: list[Any] = []
        for kind, expected in SPEC_TYPES.items():
            hook = getattr(manager.hook, f"zoo_{kind}", None)
            if hook is not None and hook.spec is not None:
                for result in hook(**{name: arguments[name] for name in hook.spec.argnames}):
                    offers += _check_result(kind, expected, result)
        _check_duplicates(offers)
        return tuple(offers)


def _register(manager: pluggy.PluginManager, module: Any, name: str) -> None:
    """Register a plugin; a hook that zoo does not know, or not with those arguments, is told in zoo's words."""
    try:
        manager.register(module, name=name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = UNKNOWN_HOOK_PATTERN.match(str(error))
        if unknown:
            near = did_you_mean(unknown[1], HOOK_NAMES) or f"; zoo knows {join_names(HOOK_NAMES)}"
            raise PluginError(f"unknown hook {unknown[1]!r}{near}") from error
        raise PluginError(f"{_one_line(error)}; a hook takes nothing, or host by name") from error


def _format_range(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _one_line(message: object) -> str:
    return " ".join(str(message).split())


def _short_repr(value: Any) -> str:
    """Return a value as it is written, if that is short, or else what it is."""
    written = repr(value)
    return written if len(written) <= 80 else f"a {type(value).__name__}"


def _check_result(kind: str, expected: type, result: Any) -> list[Any]:
    if isinstance(result, str) or not isinstance(result, Iterable):
        raise PluginError(
            f"zoo_{kind} returns {expected.__name__}s, but it returned {_short_repr(result)}; return a list"
        )
    values: list[Any] = list(islice(result, MAX_OFFERS + 1))
    if len(values) > MAX_OFFERS:
        raise PluginError(f"zoo_{kind} returned more than {MAX_OFFERS} values")
    for value in values:
        if not isinstance(value, expected):
            raise PluginError(f"zoo_{kind} returns {expected.__name__}s, but one of them is {_short_repr(value)}")
    prefixed = [value.name for value in values if ":" in value.name]
    if prefixed:
        raise PluginError(f"zoo_{kind} returned {join_names(prefixed)}; only a source has names with a prefix")
    return values


def _check_duplicates(offers: list[Any]) -> None:
    doubles = [
        f"{kind.__name__} {name!r}" for (kind, name), n in Counter((type(v), v.name) for v in offers).items() if n > 1
    ]
    if doubles:
        raise PluginError(f"it offers {join_names(doubles)} more than once")
