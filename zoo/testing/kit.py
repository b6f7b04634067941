"""Collect and run every check of a plugin: of the plugin as a whole, and of each value it offers.

A `CheckSuite` is one thing under test with its checks. `collect_suites` yields the suites of a plugin or distribution,
and `check_plugin` runs them all.
"""

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
from zoo.testing.models import get_model_checks, make_model_subject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import CheckReport, Outcome, make_report, run_checks, suggest_check

ExpectedFailures = Mapping[str, Mapping[str, str]]
"""Reasons of checks known to fail, by subject and check."""


@dataclass(frozen=True, kw_only=True)
class CheckSuite:
    """One thing under test: its name, the subject, and the checks.

    Args:
        name: Name in messages: that of the plugin, or of a value in its registry.
        kind: `plugin`, `model`, `dataset` or `encoder`.
        subject: The argument of each check.
        checks: The checks by name.
    """

    name: str
    kind: str
    subject: Any
    checks: Mapping[str, Callable[[Any], None]]

    def run(self, expected_failures: ExpectedFailures | None = None, only: Collection[str] = ()) -> Iterator[Outcome]:
        """Run the checks lazily. Names in `only` that are not checks of this suite are ignored."""
        selected = [check for check in self.checks if not only or check in only]
        reasons = (expected_failures or {}).get(self.name)
        if selected:
            yield from run_checks(self.name, self.subject, self.checks, expected_failures=reasons, only=selected)


def match_plugins(name: str) -> tuple[Plugin, ...]:
    """Return the plugin of that name, or all plugins of the distribution of that name.

    Raises:
        UnknownNameError: There is none.
        PluginError: The distribution is installed and names no plugin.
    """
    installed = CATALOG.plugins()
    matching = tuple(each for each in installed if name == each.name or canonicalize_name(name) == each.distribution)
    if not matching:
        _check_has_entry_point(name)
        known_names = [*(each.name for each in installed), *{each.distribution for each in installed}]
        suggestion = did_you_mean(name, known_names) or f"; there is {join_names(known_names, 30)}"
        suggestion += "; pip install --editable FOLDER installs one that you are writing"
        raise UnknownNameError(f"no plugin or distribution named {name!r} is installed{suggestion}")
    return matching


def _check_has_entry_point(name: str) -> None:
    """Raise a PluginError if a distribution of that name is installed, since it names no plugin."""
    try:
        version = metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):
        return
    problem = f"{name} {version} is installed, and has no entry point in group zoo"
    fix = 'add [project.entry-points.zoo] with zoo_mine = "zoo_mine" to its pyproject.toml, and install it again'
    raise PluginError(f"{problem}; {fix}")


def collect_suites(name: str) -> Iterator[CheckSuite]:
    """Yield the suites of a distribution or plugin."""
    for plugin in match_plugins(name):
        yield CheckSuite(name=plugin.name, kind="plugin", subject=PluginSubject(plugin=plugin), checks=PLUGIN_CHECKS)
        for value in plugin.offers:
            yield from _collect_suites_of_value(plugin, value)


def _collect_suites_of_value(plugin: Plugin, value: Any) -> Iterator[CheckSuite]:
    if isinstance(value, Source):
        yield from (_make_model_suite(f"{value.name}:{example}", None) for example in value.examples)
        return
    for kind, make_suite in SUITE_FACTORIES.items():
        if value in plugin.offers_of(kind):
            yield make_suite(_qualify_name(plugin, kind, value.name), value)


def _make_model_suite(name: str, _: Any) -> CheckSuite:
    return CheckSuite(name=name, kind="model", subject=make_model_subject(name), checks=get_model_checks(name))


def _make_dataset_suite(name: str, spec: Any) -> CheckSuite:
    return CheckSuite(name=name, kind="dataset", subject=DatasetSubject(name=name, spec=spec), checks=DATASET_CHECKS)


def _make_encoder_suite(name: str, _: Any) -> CheckSuite:
    return CheckSuite(name=name, kind="encoder", subject=EncoderSubject(name=name), checks=ENCODER_CHECKS)


SUITE_FACTORIES: dict[str, Callable[[str, Any], CheckSuite]] = {
    "models": _make_model_suite,
    "datasets": _make_dataset_suite,
    "encoders": _make_encoder_suite,
}
"""How to test a value, by the kind of its registry; values of other kinds are tested with their plugin."""


def _qualify_name(plugin: Plugin, kind: str, name: str) -> str:
    """Return the name of a plugin's value in its registry, as `plugin:name` if another plugin offers that name too."""
    registry = CATALOG.registry(kind)
    return name if name in registry and registry.owner(name) == plugin.name else f"{plugin.name}:{name}"


def check_plugin(
    name: str, *, expected_failures: ExpectedFailures | None = None, only: Collection[str] = ()
) -> tuple[CheckReport, ...]:
    """Run every check on a plugin and on each value it offers, and return the reports.

    Args:
        name: A plugin, such as `zoo_cnn`, or an installed distribution, whose plugins are then all checked.
        expected_failures: Reasons of checks known to fail, by subject and check, such as
            `{"mine-7x7": {"exports": "it branches on the image"}}`. Such a check fails the report if it passes.
        only: Names of the checks to run; all if empty.

    Raises:
        CheckFailure: Some checks failed, each on a line of its own; or none ran.
        UnknownNameError: No such plugin or distribution is installed.
        ConfigError: An expected failure names an unknown check or has no reason.
    """
    suites = list(collect_suites(name))
    check_expected_failures(suites, expected_failures or {})
    outcomes = {suite.name: list(suite.run(expected_failures, only)) for suite in suites}
    make_report(name, [outcome for each in outcomes.values() for outcome in each])
    return tuple(make_report(subject, each) for subject, each in outcomes.items() if each)


def check_expected_failures(suites: Collection[CheckSuite], expected_failures: ExpectedFailures) -> None:
    """Check that every expected failure names a subject of these suites and one of its checks.

    Raises:
        ConfigError: A subject or check is unknown.
    """
    checks = {suite.name: suite.checks for suite in suites}
    for subject, reasons in expected_failures.items():
        if subject not in checks:
            raise ConfigError(
                f"expected failures of {subject!r}, which is not checked here; checked are {join_names(checks)}"
            )
        for check in reasons:
            if check not in checks[subject]:
                suggestion = suggest_check(check, checks[subject])
                raise ConfigError(f"expected failure {check!r} of {subject} is not a check{suggestion}")
