"""All that is checked of a plugin: the plugin as a whole, and each value it offers with the checks of its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from zoo.errors import ConfigError, PluginError, UnknownNameError, did_you_mean, listed
from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.discovery import Plugin
from zoo.plugins.entry_points import normalized
from zoo.plugins.source import Source
from zoo.testing.datasets import DATASET_CHECKS, DataSubject
from zoo.testing.encoders.checks import ENCODER_CHECKS
from zoo.testing.encoders.subject import EncoderSubject
from zoo.testing.models import BY_TASK, CHECKS
from zoo.testing.models.subject import Subject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import Outcome, Report, outcomes, report_of

Excuses = Mapping[str, Mapping[str, str]]
"""Checks known to fail, with the reason, by what they are checks of."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Something to check: its name, the subject that checks are given, and the checks.

    Args:
        name: As it is called in messages: the name of a plugin, or of a value as it is found on its shelf.
        kind: `plugin`, `model`, `dataset` or `encoder`.
        subject: What each check is given.
        checks: The checks by name.
    """

    name: str
    kind: str
    subject: Any
    checks: Mapping[str, Callable[[Any], None]]

    def outcomes(self, excuses: Excuses | None = None, only: Collection[str] = ()) -> Iterator[Outcome]:
        """Run the checks lazily; those of `only` that are checks of another kind are passed over."""
        chosen = [check for check in self.checks if not only or check in only]
        if chosen:
            yield from outcomes(
                self.name, self.subject, self.checks, excuses=(excuses or {}).get(self.name), only=chosen
            )


def plugins_named(name: str) -> tuple[Plugin, ...]:
    """Return the plugins of a distribution, or the one of that name.

    Raises:
        UnknownNameError: There is none.
        PluginError: The distribution is there, and names no plugin.
    """
    every = CATALOGUE.plugins()
    found = tuple(each for each in every if name == each.name or normalized(name) == each.distribution)
    if not found:
        _check_has_entry_point(name)
        known = [*(each.name for each in every), *{each.distribution for each in every}]
        near = did_you_mean(name, known) or f"; there is {listed(known, 30)}"
        near += "; pip install --editable FOLDER installs one that you are writing"
        raise UnknownNameError(f"no plugin or distribution named {name!r} is installed{near}")
    return found


def _check_has_entry_point(name: str) -> None:
    """Raise an error that says so if a distribution of that name is installed and names no plugin."""
    try:
        version = metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):
        return
    told = f"{name} {version} is installed, and has no entry point in group zoo"
    mend = 'add [project.entry-points.zoo] with zoo_mine = "zoo_mine" to its pyproject.toml, and install it again'
    raise PluginError(f"{told}; {mend}")


def trials(name: str) -> Iterator[Trial]:
    """Yield all that is to be checked of a distribution or plugin."""
    for plugin in plugins_named(name):
        yield Trial(name=plugin.name, kind="plugin", subject=PluginSubject(plugin=plugin), checks=PLUGIN_CHECKS)
        for value in plugin.offers:
            yield from _of_value(plugin, value)


def _of_value(plugin: Plugin, value: Any) -> Iterator[Trial]:
    if isinstance(value, Source):
        names = [f"{value.name}:{example}" for example in value.examples]
        yield from (
            Trial(name=each, kind="model", subject=Subject(name=each, config={}), checks=CHECKS) for each in names
        )
        return
    for kind, made in MAKERS.items():
        if value in plugin.offered(kind):
            yield made(_key(plugin, kind, value.name), value)


def _model(key: str, spec: Any) -> Trial:
    checks = BY_TASK.get(spec.task, CHECKS)
    return Trial(name=key, kind="model", subject=Subject(name=key, config={}), checks=checks)


def _dataset(key: str, spec: Any) -> Trial:
    return Trial(name=key, kind="dataset", subject=DataSubject(name=key, spec=spec), checks=DATASET_CHECKS)


def _encoder(key: str, spec: Any) -> Trial:
    return Trial(name=key, kind="encoder", subject=EncoderSubject(name=key), checks=ENCODER_CHECKS)


MAKERS: dict[str, Callable[[str, Any], Trial]] = {"models": _model, "datasets": _dataset, "encoders": _encoder}
"""How a value is checked, by its kind; the other kinds are checked with their plugin."""


def _key(plugin: Plugin, kind: str, name: str) -> str:
    """Return the name under which a plugin's own value is found, also where others offer that name."""
    shelf = CATALOGUE.shelf(kind)
    return name if name in shelf and shelf.owner(name) == plugin.name else f"{plugin.name}:{name}"


def check_plugin(
    name: str, *, expected_failures: Excuses | None = None, only: Collection[str] = ()
) -> tuple[Report, ...]:
    """Run every check on a plugin and on each value it offers, to the end, and return a report of each.

    Args:
        name: A plugin, such as `zoo_cnn`, or an installed distribution, whose plugins are then all checked.
        expected_failures: Checks known to fail: the reason by check, by what they are checks of, such as
            `{"mine-7x7": {"exports": "it branches on the image"}}`; one that then holds is a failure too.
        only: Run only these checks.

    Raises:
        CheckFailure: Some checks do not hold, each named on a line of its own; or none ran.
        UnknownNameError: No such plugin or distribution is installed.
        ConfigError: An expected failure names no check or gives no reason.
    """
    every = list(trials(name))
    check_excuses(every, expected_failures or {})
    found = {trial.name: list(trial.outcomes(expected_failures, only)) for trial in every}
    report_of(name, [outcome for each in found.values() for outcome in each])
    return tuple(report_of(subject, each) for subject, each in found.items() if each)


def check_excuses(every: Collection[Trial], excuses: Excuses) -> None:
    """Raise unless every expected failure is of something that is checked, by a check there is."""
    checks = {trial.name: trial.checks for trial in every}
    for subject, reasons in excuses.items():
        if subject not in checks:
            raise ConfigError(
                f"expected failures of {subject!r}, which is not checked here; checked are {listed(checks)}"
            )
        for check in reasons:
            if check not in checks[subject]:
                near = did_you_mean(check, checks[subject]) or f"; checks: {listed(checks[subject], 60)}"
                raise ConfigError(f"expected failure {check!r} of {subject} names no check{near}")
