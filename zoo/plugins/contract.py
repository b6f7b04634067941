"""Call the hooks of one plugin by itself, and check the values they return."""

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
    """The values that a plugin offers, and warnings for its author about deprecated parts of the contract."""

    offers: tuple[Any, ...]
    notes: tuple[str, ...] = ()


class Contract:
    """The hooks that a module declares. Plugins are registered one after the other, each by itself.

    Args:
        hookspecs: The module that declares the hooks.
        supported_api: The lowest and the highest version of the contract that a plugin may be written for.
        extra_arguments: Arguments of the hooks by name, in addition to `host`.
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
        """Register a plugin by itself, call its hooks, and check the values they return.

        Args:
            name: The plugin's name.
            module: The module or object that its entry point names.
            version: The version of the zoo that calls.

        Raises:
            PluginError: It is written for another version of the contract, has no hook, or returns other values.
            Exception: Whatever its own code raises.
        """
        notes = self._check_api_version(module)
        manager = self._manager or self._new_manager()
        self._manager = None  # a manager in which a plugin failed is not used again
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _register(manager, module, name)
        if not manager.get_hookcallers(module):
            unmarked = [hook for hook in HOOK_NAMES if callable(getattr(module, hook, None))]
            fix = f"write @zoo.hookimpl above {join_names(unmarked)}" if unmarked else _list_hooks()
            raise PluginError(f"it implements no hook; {fix}")
        offers = self._call_hooks(manager, version)
        manager.unregister(module)
        self._manager = manager
        return HookResults(offers=offers, notes=(*notes, *(_one_line(each.message) for each in caught)))

    def _new_manager(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager("zoo")
        manager.add_hookspecs(self._hookspecs)
        return manager

    def _check_api_version(self, module: Any) -> tuple[str, ...]:
        """Check the version of the contract that a plugin declares, and return warnings for its author."""
        lowest, highest = self._supported_api
        declared = getattr(module, "zoo_api", None)
        if declared is None:
            return (f"it declares no zoo_api, so version {lowest} is assumed; write zoo_api = {highest} in its module",)
        low, high = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
        if not isinstance(low, int) or not isinstance(high, int):
            raise PluginError(f"zoo_api is a number or a pair of numbers, not {declared!r}")
        supported = _format_range(*self._supported_api)
        message = f"it is written for plugin API {_format_range(low, high)}, this zoo speaks {supported}"
        if high < lowest or low > highest:
            raise PluginError(f"{message}; {'upgrade zoo-models' if low > highest else 'upgrade the plugin'}")
        if high < highest:
            return (f"{message}; plugin API {highest + 1} drops {high}, so it needs a version for {highest} by then",)
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
    """Register a plugin, and raise a `PluginError` for an unknown hook or unknown arguments of a hook."""
    try:
        manager.register(module, name=name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = UNKNOWN_HOOK_PATTERN.match(str(error))
        if unknown:
            suggestion = did_you_mean(unknown[1], HOOK_NAMES) or f"; {_list_hooks()}"
            raise PluginError(f"unknown hook {unknown[1]!r}{suggestion}") from error
        raise PluginError(f"{_one_line(error)}; a hook takes no argument, or host by name") from error


def _list_hooks() -> str:
    return f"the hooks are {join_names(HOOK_NAMES)}"


def _format_range(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _one_line(message: object) -> str:
    return " ".join(str(message).split())


def _short_repr(value: Any) -> str:
    """Return the repr of a value if that is short, and else the name of its class."""
    text = repr(value)
    return text if len(text) <= 80 else f"a {type(value).__name__}"


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
    duplicates = [
        f"{kind.__name__} {name!r}" for (kind, name), n in Counter((type(v), v.name) for v in offers).items() if n > 1
    ]
    if duplicates:
        raise PluginError(f"it offers {join_names(duplicates)} more than once")
