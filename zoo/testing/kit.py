"""All that is checked of a plugin: the plugin as a whole, and each value it offers with the checks of its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from zoo.errors import ConfigError, PluginError, UnknownNameError, did_you_mean, join_names
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin
from zoo.plugins.entry_points import canonicalize_name
from zoo.plugins.source import Source
from zoo.testing.datasets import DATASET_CHECKS, DatasetSubject
from zoo.testing.encoders.checks import ENCODER_CHECKS
from zoo.testing.encoders.subject import EncoderSubject
from zoo.testing.models import CHECKS_BY_TASK, CLASSIFIER_CHECKS
from zoo.testing.models.subject import ModelSubject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import CheckReport, Outcome, make_report, run_checks

ExpectedFailures = Mapping[str, Mapping[str, str]]
"""Checks known to fail, with the reason, by what they are checks of."""


@dataclass(frozen=True, kw_only=True)
class CheckSuite:
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

    def run(self, expected_failures: ExpectedFailures | None = None, only: Collection[str] = ()) -> Iterator[Outcome]:
        """Run the checks lazily; those of `only` that are checks of another kind are passed over."""
        chosen = [check for check in self.checks if not only or check in only]
        if chosen:
            yield from run_checks(
                self.name,
                self.subject,
                self.checks,
                expected_failures=(expected_failures or {}).get(self.name),
                only=chosen,
            )


def match_plugins(name: str) -> tuple[Plugin, ...]:
    """Return the plugins of a distribution, or the one of that name.

    Raises:
        UnknownNameError: There is none.
        PluginError: The distribution is there, and names no plugin.
    """
    every = CATALOG.plugins()
    found = tuple(each for each in every if name == each.name or canonicalize_name(name) == each.distribution)
    if not found:
        _check_has_entry_point(name)
        known = [*(each.name for each in every), *{each.distribution for each in every}]
        near = did_you_mean(name, known) or f"; there is {join_names(known, 30)}"
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


def collect_suites(name: str) -> Iterator[CheckSuite]:
    """Yield all that is to be checked of a distribution or plugin."""
    for plugin in match_plugins(name):
        yield CheckSuite(name=plugin.name, kind="plugin", subject=PluginSubject(plugin=plugin), checks=PLUGIN_CHECKS)
        for value in plugin.offers:
            yield from _collect_suites_of_value(plugin, value)


def _collect_suites_of_value(plugin: Plugin, value: Any) -> Iterator[CheckSuite]:
    if isinstance(value, Source):
        names = [f"{value.name}:{example}" for example in value.examples]
        yield from (
            CheckSuite(name=each, kind="model", subject=ModelSubject(name=each, config={}), checks=CLASSIFIER_CHECKS)
            for each in names
        )
        return
    for kind, made in SUITE_FACTORIES.items():
        if value in plugin.offers_of(kind):
            yield made(_qualified_name(plugin, kind, value.name), value)


def _model_suite(key: str, spec: Any) -> CheckSuite:
    checks = CHECKS_BY_TASK.get(spec.task, CLASSIFIER_CHECKS)
    return CheckSuite(name=key, kind="model", subject=ModelSubject(name=key, config={}), checks=checks)


def _dataset_suite(key: str, spec: Any) -> CheckSuite:
    return CheckSuite(name=key, kind="dataset", subject=DatasetSubject(name=key, spec=spec), checks=DATASET_CHECKS)


def _encoder_suite(key: str, spec: Any) -> CheckSuite:
    return CheckSuite(name=key, kind="encoder", subject=EncoderSubject(name=key), checks=ENCODER_CHECKS)


SUITE_FACTORIES: dict[str, Callable[[str, Any], CheckSuite]] = {
    "models": _model_suite,
    "datasets": _dataset_suite,
    "encoders": _encoder_suite,
}
"""How a value is checked, by its kind; the other kinds are checked with their plugin."""


def _qualified_name(plugin: Plugin, kind: str, name: str) -> str:
    """Return the name under which a plugin's own value is found, also where others offer that name."""
    shelf = CATALOG.registry(kind)
    return name if name in shelf and shelf.owner(name) == plugin.name else f"{plugin.name}:{name}"


def check_plugin(
    name: str, *, expected_failures: ExpectedFailures | None = None, only: Collection[str] = ()
) -> tuple[CheckReport, ...]:
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
    every = list(collect_suites(name))
    check_expected_failures(every, expected_failures or {})
    found = {trial.name: list(trial.run(expected_failures, only)) for trial in every}
    make_report(name, [outcome for each in found.values() for outcome in each])
    return tuple(make_report(subject, each) for subject, each in found.items() if each)


def check_expected_failures(suites: Collection[CheckSuite], expected_failures: ExpectedFailures) -> None:
    """Raise unless every expected failure is of something that is checked, by a check there is."""
    checks = {trial.name: trial.checks for trial in suites}
    for subject, reasons in expected_failures.items():
        if subject not in checks:
            raise ConfigError(
                f"expected failures of {subject!r}, which is not checked here; checked are {join_names(checks)}"
            )
        for check in reasons:
            if check not in checks[subject]:
                near = did_you_mean(check, checks[subject]) or f"; checks: {join_names(checks[subject], 60)}"
                raise ConfigError(f"expected failure {check!r} of {subject} names no check{near}")
