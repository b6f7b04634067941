"""Run checks one after the other, and report which passed, which failed as expected and which were skipped.

`run_checks` yields an `Outcome` for each check; `make_report` turns outcomes into a `CheckReport`, or raises a
`CheckFailure` that lists every failed check.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from zoo.errors import ConfigError, did_you_mean, join_names

S = TypeVar("S")
Checks = Mapping[str, Callable[[S], None]]
"""Checks by name: each takes the subject and raises an exception if it fails."""
CLAIM_SEPARATOR = "; this must hold: "
"""What stands between an unexpected exception and the claim of the check that it interrupted."""
MAX_ERROR_LENGTH = 300


class CheckFailure(AssertionError):
    """A check that failed; the message names the problem and the fix."""


class NotApplicable(Exception):
    """A check that does not apply to its subject; the message gives the reason."""


def require(condition: bool, problem: str, fix: str) -> None:
    """Raise a `CheckFailure` with the problem and the fix unless a condition is true."""
    if not condition:
        raise CheckFailure(f"{problem}; {fix}")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one check.

    Args:
        subject: Name of the model, data set, encoder or plugin.
        check: Name of the check.
        status: `passed`, `xfailed` (it failed, as expected), `skipped` (it does not apply) or `failed`.
        message: The reason, if there is one.
    """

    subject: str
    check: str
    status: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.check}: {self.message or self.status}"


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Which checks ran, and the reasons of those that were expected to fail or skipped.

    Args:
        subject: Name of the model, data set, encoder or plugin.
        passed: Names of the checks that passed.
        expected_failures: Reasons by name of the checks that failed as expected.
        skipped: Reasons by name of the checks that do not apply.
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
        expected = "".join(f"; {name} fails as expected: {reason}" for name, reason in self.expected_failures.items())
        return f"{self.subject}: {self.num_checks} checks, {len(self.passed)} passed{expected}{_list_skipped(self)}"


def run_checks(
    subject_name: str,
    subject: S,
    checks: Checks[S],
    *,
    expected_failures: Mapping[str, str] | None = None,
    only: Collection[str] = (),
) -> Iterator[Outcome]:
    """Run checks lazily and yield their outcomes in order.

    Args:
        subject_name: Name of the subject in messages.
        subject: The argument of each check.
        checks: The checks.
        expected_failures: Reasons by name of checks known to fail. Such a check fails the report if it passes.
        only: Names of the checks to run; all if empty.

    Raises:
        ConfigError: `expected_failures` or `only` names an unknown check, or a reason is empty.
    """
    expected_failures = dict(expected_failures or {})
    _check_expected_failures(checks, expected_failures)
    _check_selection(checks, only)
    for check, run in checks.items():
        if not only or check in only:
            yield _make_outcome(subject_name, check, _catch_failure(run, subject), expected_failures.get(check))


def _check_expected_failures(checks: Collection[str], expected_failures: Mapping[str, str]) -> None:
    for check, reason in expected_failures.items():
        if check not in checks:
            raise ConfigError(f"expected failure {check!r} is not a check{suggest_check(check, checks)}")
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f"expected failure {check!r} has no reason; give the reason why it is known to fail")


def _check_selection(checks: Collection[str], only: Collection[str]) -> None:
    for check in only:
        if check not in checks:
            raise ConfigError(f"there is no check {check!r}{suggest_check(check, checks)}")


def suggest_check(name: str, checks: Collection[str]) -> str:
    """Return the end of a message about an unknown check: a similar name, or else all names."""
    return did_you_mean(name, checks) or f"; checks: {join_names(checks, 60)}"


def _catch_failure(check: Callable[[S], None], subject: S) -> BaseException | None:
    """Return the exception of a check, or None. Code of plugins may raise anything."""
    try:
        check(subject)
    except (Exception, SystemExit) as error:
        if isinstance(error, CheckFailure | NotApplicable):
            return error
        text = textwrap.shorten(f"{type(error).__name__}: {error}", MAX_ERROR_LENGTH, placeholder=" ...")
        failure = CheckFailure(f"{text}{CLAIM_SEPARATOR}{' '.join((check.__doc__ or '').split())}")
        failure.__cause__ = error
        return failure
    return None


def _make_outcome(name: str, check: str, failure: BaseException | None, expected_reason: str | None) -> Outcome:
    status, message = _classify_failure(failure, expected_reason)
    return Outcome(subject=name, check=check, status=status, message=message)


def _classify_failure(failure: BaseException | None, expected_reason: str | None) -> tuple[str, str]:
    """Return the status and message of a check."""
    if isinstance(failure, NotApplicable):
        return "skipped", str(failure)
    if failure is None and expected_reason is not None:
        return "failed", f"it passes, but was expected to fail ({expected_reason}); remove the expected failure"
    if failure is None:
        return "passed", ""
    if expected_reason is not None:
        return "xfailed", expected_reason
    return "failed", str(failure)


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
        CheckFailure: A check failed, or none ran.
        ConfigError: `expected_failures` or `only` names an unknown check, or a reason is empty.
    """
    outcomes = []
    for outcome in run_checks(name, subject, checks, expected_failures=expected_failures, only=only):
        if outcome.status == "failed":
            raise CheckFailure(str(outcome))
        outcomes.append(outcome)
    return make_report(name, outcomes)


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
        passed=tuple(outcome.check for outcome in outcomes if outcome.status == "passed"),
        expected_failures={outcome.check: outcome.message for outcome in outcomes if outcome.status == "xfailed"},
        skipped={outcome.check: outcome.message for outcome in outcomes if outcome.status == "skipped"},
    )
    if not report.num_checks:
        raise CheckFailure(f"{name}: no check ran{_list_skipped(report)}; select a check that applies to it")
    return report


def _list_skipped(report: CheckReport) -> str:
    return "".join(f"; {name} did not run: {reason}" for name, reason in report.skipped.items())
