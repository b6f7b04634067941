"""The extension contract: five hooks. Each takes nothing, is cheap, and returns frozen values.

A plugin is a module or object named by an entry point in group `zoo`. It implements any of these with `@zoo.hookimpl`
and may set `zoo_api`, the contract version it was written for: a number, or a pair (lowest, highest).
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from zoo.spec import Command, DatasetSpec, EncoderSpec, Experiment, ModelSpec

API_VERSION = 1

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")


@hookspec
def zoo_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Return the models a plugin offers, for the shelf `zoo.models`."""


@hookspec
def zoo_encoders() -> Iterable[EncoderSpec]:  # type: ignore[empty-body]
    """Return the graph encoders a plugin offers, for the shelf `zoo.encoders`."""


@hookspec
def zoo_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Return the data sets a plugin offers, for the shelf `zoo.datasets`."""


@hookspec
def zoo_experiments() -> Iterable[Experiment]:  # type: ignore[empty-body]
    """Return the experiments a plugin offers, for the shelf `zoo.experiments`."""


@hookspec
def zoo_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Return the commands a plugin adds to `zoo` on the command line."""
