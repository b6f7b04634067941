"""The kit that checks a model as zoo expects it to behave; third parties run it in their own tests.

>>> from zoo.testing import check_model
>>> check_model("gcn-7x7").num_checks >= 15
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.errors import ConfigError, ZooError
from zoo.testing.checks import CHECKS, Check
from zoo.testing.subject import CheckFailure, Subject

__all__ = ["CHECKS", "CheckFailure", "Report", "check_model"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Which checks ran and which were expected to fail, with the reason.

    Args:
        model: The model's name.
        passed: Names of the checks that held.
        excused: Names of the checks that failed as expected, with the reason given.
    """

    model: str
    passed: tuple[str, ...]
    excused: Mapping[str, str]

    @property
    def num_checks(self) -> int:
        """How many checks ran."""
        return len(self.passed) + len(self.excused)

    def __str__(self) -> str:
        excused = "".join(f"; {name} fails as expected: {reason}" for name, reason in self.excused.items())
        return f"{self.model}: {self.num_checks} checks, {len(self.passed)} held{excused}"


def check_model(name: str, *, expected_failures: Mapping[str, str] | None = None, **config: Any) -> Report:
    """Run every check on a model of the zoo.

    Args:
        name: A name on `zoo.models`.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        **config: Options to make the model with.

    Raises:
        CheckFailure: A check does not hold.
        ConfigError: An expected failure names no check or gives no reason.
    """
    excuses = dict(expected_failures or {})
    for check, reason in excuses.items():
        if check not in CHECKS or not reason.strip():
            raise ConfigError(
                f"expected failure {check!r} names no check, or gives no reason; checks: {', '.join(CHECKS)}"
            )
    subject = Subject(name=name, config=config)
    passed: list[str] = []
    excused: dict[str, str] = {}
    for check, run in CHECKS.items():
        problem = _problem(run, subject)
        if problem is None and check in excuses:
            raise CheckFailure(
                f"{name}: {check} holds, though it was expected to fail ({excuses[check]}); drop the excuse"
            )
        if problem is None:
            passed.append(check)
        elif check in excuses:
            excused[check] = excuses[check]
        else:
            raise CheckFailure(f"{name}: {check}: {problem}") from problem
    return Report(model=name, passed=tuple(passed), excused=excused)


def _problem(run: Check, subject: Subject) -> Exception | None:
    try:
        run(subject)
    except (AssertionError, ZooError, RuntimeError, ValueError, TypeError) as error:
        return error
    return None
