"""The extension contract: seven hooks. Each is cheap, and returns frozen values.

A plugin is a module or object named by an entry point in group `zoo`. It implements any of these with `@zoo.hookimpl`
and sets `zoo_api`, the contract version it was written for: a number, or a pair (lowest, highest).

How the contract grows: a hook may get further arguments, and a plugin takes those it wants by name, or none. What is to
go is marked with `deprecated`, works for one more version of the contract, and warns with the version that drops it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pluggy

from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, Command, DatasetSpec, EncoderSpec, ModelSpec

API_VERSION = 1
SUPPORTED_API = (max(1, API_VERSION - 1), API_VERSION)
"""The versions of the contract that plugins may be written for: this one and the one before."""

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")


@dataclass(frozen=True, kw_only=True)
class Host:
    """The zoo that asks, for plugins that serve several versions of it.

    Args:
        version: Its version, such as `0.1.0`.
        api: The version of the contract it speaks.
    """

    version: str
    api: int = API_VERSION


def deprecation_warning(subject: str, *, removed_in: int, instead: str) -> DeprecationWarning:
    """Return the warning for a hook or an argument that is to go, for `hookspec(warn_on_impl=...)` and `..._args`."""
    return DeprecationWarning(f"{subject} is deprecated and goes with plugin API {removed_in}; {instead}")


@hookspec
def zoo_models(host: Host) -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Return the models a plugin offers, for the shelf `zoo.models`."""


@hookspec
def zoo_encoders(host: Host) -> Iterable[EncoderSpec]:  # type: ignore[empty-body]
    """Return the graph encoders a plugin offers, for the shelf `zoo.encoders`."""


@hookspec
def zoo_datasets(host: Host) -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Return the data sets a plugin offers, for the shelf `zoo.datasets`."""


@hookspec
def zoo_experiments(host: Host) -> Iterable[Experiment]:  # type: ignore[empty-body]
    """Return the experiments a plugin offers, for the shelf `zoo.experiments`."""


@hookspec
def zoo_commands(host: Host) -> Iterable[Command]:  # type: ignore[empty-body]
    """Return the commands a plugin adds to `zoo` on the command line."""


@hookspec
def zoo_callbacks(host: Host) -> Iterable[CallbackSpec]:  # type: ignore[empty-body]
    """Return the callbacks a plugin offers, for `fit(callbacks=["name"])`."""


@hookspec
def zoo_sources(host: Host) -> Iterable[Source]:  # type: ignore[empty-body]
    """Return the sources of models under a prefix, for the shelf `zoo.sources`."""
