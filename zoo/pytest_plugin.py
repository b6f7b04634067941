"""The kit in pytest: `pytest --zoo-plugin zoo_mine` runs each check of a plugin as a test of its own.

It is light: zoo and torch are imported only when plugins are named. In a project's own settings:

    [tool.pytest.ini_options]
    zoo_plugins = ["zoo_mine"]
    zoo_expected_failures = ["mine-7x7: exports: it branches on the image"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from zoo.testing import CheckSuite


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    told = "run zoo's conformance kit over an installed plugin or distribution; may be given several times"
    parser.getgroup("zoo").addoption("--zoo-plugin", action="append", default=[], metavar="NAME", help=told)
    parser.addini("zoo_plugins", "plugins that zoo's conformance kit is run over", type="args", default=[])
    told = "checks known to fail: lines of NAME: CHECK: REASON"
    parser.addini("zoo_expected_failures", told, type="linelist", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each check of the named plugins."""
    for name in dict.fromkeys([*config.getini("zoo_plugins"), *config.getoption("--zoo-plugin")]):
        items += PluginCollector.from_parent(session, name=f"zoo-plugin {name}", nodeid=f"zoo-plugin {name}").collect()


def _parse_expected_failures(lines: list[str]) -> dict[str, dict[str, str]]:
    """Read lines of NAME: CHECK: REASON; a name may have a colon of its own."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        subject, first, rest = line.partition(": ")
        check, second, reason = rest.partition(": ")
        if not first or not second:
            raise pytest.UsageError(f"zoo_expected_failures: {line!r} is not NAME: CHECK: REASON")
        found.setdefault(subject.strip(), {})[check.strip()] = reason.strip()
    return found


class PluginCollector(pytest.Collector):
    """The checks of one plugin or distribution."""

    def collect(self) -> Iterator[CheckItem]:
        """Yield a test for each check."""
        from zoo.errors import ZooError
        from zoo.testing import collect_suites
        from zoo.testing.kit import check_expected_failures

        excuses = _parse_expected_failures(self.config.getini("zoo_expected_failures"))
        try:
            every = list(collect_suites(self.name.partition(" ")[2]))
            check_expected_failures(every, excuses)
        except ZooError as error:
            raise pytest.UsageError(str(error)) from error
        for trial in every:
            for check in trial.checks:
                excuse = excuses.get(trial.name, {}).get(check)
                yield CheckItem.from_parent(
                    self, name=f"{trial.name}[{check}]", trial=trial, check=check, excuse=excuse
                )


class CheckItem(pytest.Item):
    """One check of one thing a plugin offers."""

    def __init__(self, *, suite: CheckSuite, check: str, expected_reason: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._trial, self._check, self._excuse = suite, check, expected_reason

    def runtest(self) -> None:
        """Run the check."""
        from zoo.testing import CheckFailure

        excuses = {self._trial.name: {self._check: self._excuse}} if self._excuse is not None else None
        for outcome in self._trial.run(excuses, only=[self._check]):
            if outcome.status == "failed":
                raise CheckFailure(str(outcome))
            if outcome.status == "excused":
                pytest.xfail(outcome.message)
            if outcome.status == "skipped":
                pytest.skip(outcome.message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what the check found, without the kit's own lines."""
        from zoo.testing import CheckFailure

        if isinstance(excinfo.value, CheckFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return what is tested, for the heading of a failure."""
        return self.path, None, f"zoo: {self.name}"
