"""Run checks one after the other, and say how many ran, which held and which were expected to fail."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from zoo.errors import ConfigError, did_you_mean, join_names

S = TypeVar("S")
Checks = Mapping[str, Callable[[S], None]]
"""Checks by name: each takes what is checked and raises when it does not hold."""


class CheckFailure(AssertionError):
    """A check that did not hold; the message says which, what was found, and what to do."""


class NotApplicable(Exception):
    """A check that has nothing to check here; the message says why."""


def require(condition: bool, problem: str, fix: str = "") -> None:
    """Raise a `CheckFailure` that says what was found, and what to do, unless something holds."""
    if not condition:
        raise CheckFailure(f"{problem}; {fix}" if fix else problem)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check came to.

    Args:
        subject: What was checked.
        check: The check's name.
        status: `held`, `excused` (it failed, as expected), `skipped` (nothing to check) or `failed`.
        message: The reason, where there is one.
    """

    subject: str
    check: str
    status: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.check}: {self.message or self.status}"


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Which checks ran and which were expected to fail, with the reason.

    Args:
        subject: What was checked: the name of a model, a data set, an encoder or a plugin.
        passed: Names of the checks that held.
        expected_failures: Names of the checks that failed as expected, with the reason given.
        skipped: Names of the checks that had nothing to check, with the reason.
    """

    subject: str
    passed: tuple[str, ...]
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def num_checks(self) -> int:
        """How many checks ran."""
        return len(self.passed) + len(self.expected_failures)

    def __str__(self) -> str:
        excused = "".join(f"; {name} fails as expected: {reason}" for name, reason in self.expected_failures.items())
        skipped = "".join(f"; {name} did not run: {reason}" for name, reason in self.skipped.items())
        return f"{self.subject}: {self.num_checks} checks, {len(self.passed)} held{excused}{skipped}"


def run_checks(
    subject_name: str,
    subject: S,
    checks: Checks[S],
    *,
    expected_failures: Mapping[str, str] | None = None,
    only: Collection[str] = (),
) -> Iterator[Outcome]:
    """Run checks lazily and yield what each came to, in their order.

    Args:
        subject_name: What is checked, for messages.
        subject: What each check is given.
        checks: The checks.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        only: Run only these; all when empty.

    Raises:
        ConfigError: An excuse names no check or gives no reason, or `only` names no check.
    """
    expected_failures = dict(expected_failures or {})
    _check_names(checks, expected_failures, only)
    for check, run in checks.items():
        if not only or check in only:
            yield _make_outcome(subject_name, check, _catch_failure(run, subject), expected_failures.get(check))


def _check_names(checks: Mapping[str, object], expected_failures: Mapping[str, str], only: Collection[str]) -> None:
    for check, reason in expected_failures.items():
        if check not in checks:
            near = did_you_mean(check, checks) or f"; checks: {join_names(checks, 60)}"
            raise ConfigError(f"expected failure {check!r} names no check{near}")
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f"expected failure {check!r} gives no reason; say why it is known to fail")
    for check in only:
        if check not in checks:
            near = did_you_mean(check, checks) or f"; checks: {join_names(checks, 60)}"
            raise ConfigError(f"there is no check {check!r}{near}")


def _catch_failure(check: Callable[[S], None], subject: S) -> BaseException | None:
    """Return what a check raised; a stranger's code may raise anything."""
    try:
        check(subject)
    except (Exception, SystemExit) as error:
        if isinstance(error, CheckFailure | NotApplicable):
            return error
        told = textwrap.shorten(f"{type(error).__name__}: {error}", 300, placeholder=" ...")
        failure = CheckFailure(f"{told}; this must hold: {' '.join((check.__doc__ or '').split())}")
        failure.__cause__ = error
        return failure
    return None


def _make_outcome(name: str, check: str, failure: BaseException | None, expected_reason: str | None) -> Outcome:
    if isinstance(failure, NotApplicable):
        return Outcome(subject=name, check=check, status="skipped", message=str(failure))
    if failure is None and expected_reason is not None:
        told = f"it holds, though it was expected to fail ({expected_reason}); drop the excuse"
        return Outcome(subject=name, check=check, status="failed", message=told)
    if failure is None:
        return Outcome(subject=name, check=check, status="held")
    if expected_reason is not None:
        return Outcome(subject=name, check=check, status="excused", message=expected_reason)
    return Outcome(subject=name, check=check, status="failed", message=str(failure))


def check_subject(
    name: str,
    subject: S,
    checks: Checks[S],
    *,
    expected_failures: Mapping[str, str] | None = None,
    only: Collection[str] = (),
) -> CheckReport:
    """Run checks up to the first that fails, and return the report.

    Raises:
        CheckFailure: A check does not hold, or none ran.
        ConfigError: An excuse or `only` names no check, or an excuse gives no reason.
    """
    found = []
    for outcome in run_checks(name, subject, checks, expected_failures=expected_failures, only=only):
        if outcome.status == "failed":
            raise CheckFailure(str(outcome))
        found.append(outcome)
    return make_report(name, found)


def make_report(name: str, outcomes: Collection[Outcome]) -> CheckReport:
    """Return the report of outcomes.

    Raises:
        CheckFailure: One of them failed, or no check ran.
    """
    failed = [str(outcome) for outcome in outcomes if outcome.status == "failed"]
    if failed:
        raise CheckFailure("\n".join(failed))
    report = CheckReport(
        subject=name,
        passed=tuple(outcome.check for outcome in outcomes if outcome.status == "held"),
        expected_failures={outcome.check: outcome.message for outcome in outcomes if outcome.status == "excused"},
        skipped={outcome.check: outcome.message for outcome in outcomes if outcome.status == "skipped"},
    )
    if not report.num_checks:
        raise CheckFailure(
            f"{name}: no check ran, so nothing is known{_list_skip_reasons(report)}; give it something to check"
        )
    return report


def _list_skip_reasons(report: CheckReport) -> str:
    return "".join(f"; {name} did not run: {reason}" for name, reason in report.skipped.items())
