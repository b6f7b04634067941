"""Declare the seven hooks of a plugin. Each is cheap and returns frozen values.

A plugin is a module or object named by an entry point in the group `zoo`. It implements any of these hooks with
`@zoo.hookimpl`, and sets `zoo_api` to the version of the contract it is written for: a number, or a pair (lowest,
highest).

How the contract grows: a hook may get more arguments, and a plugin takes those it needs by name, or none. A hook or an
argument that will be removed keeps working for one more version of the contract, and warns (`warn_on_impl`) with the
version that removes it.
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
    """The zoo that calls the hooks, for plugins that support several versions of it.

    Args:
        version: Its version, such as `0.1.0`.
        api: Its version of the contract.
    """

    version: str
    api: int = API_VERSION


@hookspec
def zoo_models(host: Host) -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Return models for the registry `zoo.models`."""


@hookspec
def zoo_encoders(host: Host) -> Iterable[EncoderSpec]:  # type: ignore[empty-body]
    """Return graph encoders for the registry `zoo.encoders`."""


@hookspec
def zoo_datasets(host: Host) -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Return data sets for the registry `zoo.datasets`."""


@hookspec
def zoo_experiments(host: Host) -> Iterable[Experiment]:  # type: ignore[empty-body]
    """Return experiments for the registry `zoo.experiments`."""


@hookspec
def zoo_commands(host: Host) -> Iterable[Command]:  # type: ignore[empty-body]
    """Return commands for the command line `zoo`."""


@hookspec
def zoo_callbacks(host: Host) -> Iterable[CallbackSpec]:  # type: ignore[empty-body]
    """Return callbacks for `fit(callbacks=["name"])`."""


@hookspec
def zoo_sources(host: Host) -> Iterable[Source]:  # type: ignore[empty-body]
    """Return sources of models under a prefix for the registry `zoo.sources`."""
