"""Run the conformance kit in pytest: `pytest --zoo-plugin zoo_mine` runs each check of a plugin as a test.

zoo and torch are imported only when a plugin is named. Settings of a project:

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
    help_text = "run zoo's conformance kit on an installed plugin or distribution; can be repeated"
    parser.getgroup("zoo").addoption("--zoo-plugin", action="append", default=[], metavar="NAME", help=help_text)
    parser.addini("zoo_plugins", "plugins to run zoo's conformance kit on", type="args", default=[])
    help_text = "checks known to fail: lines of NAME: CHECK: REASON"
    parser.addini("zoo_expected_failures", help_text, type="linelist", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each check of the named plugins."""
    for name in dict.fromkeys([*config.getini("zoo_plugins"), *config.getoption("--zoo-plugin")]):
        items += PluginCollector.from_parent(session, name=f"zoo-plugin {name}", nodeid=f"zoo-plugin {name}").collect()


def _parse_expected_failures(lines: list[str]) -> dict[str, dict[str, str]]:
    """Parse lines of NAME: CHECK: REASON; a name may contain a colon without a space."""
    expected: dict[str, dict[str, str]] = {}
    for line in lines:
        subject, first, rest = line.partition(": ")
        check, second, reason = rest.partition(": ")
        if not first or not second:
            raise pytest.UsageError(f"zoo_expected_failures: {line!r} is not NAME: CHECK: REASON")
        expected.setdefault(subject.strip(), {})[check.strip()] = reason.strip()
    return expected


class PluginCollector(pytest.Collector):
    """The checks of one plugin or distribution."""

    def collect(self) -> Iterator[CheckItem]:
        """Yield a test for each check."""
        from zoo.errors import ZooError
        from zoo.testing import collect_suites
        from zoo.testing.kit import check_expected_failures

        expected = _parse_expected_failures(self.config.getini("zoo_expected_failures"))
        try:
            suites = list(collect_suites(self.name.partition(" ")[2]))
            check_expected_failures(suites, expected)
        except ZooError as error:
            raise pytest.UsageError(str(error)) from error
        for suite in suites:
            for check in suite.checks:
                reason = expected.get(suite.name, {}).get(check)
                name = f"{suite.name}[{check}]"
                yield CheckItem.from_parent(self, name=name, suite=suite, check=check, expected_reason=reason)


class CheckItem(pytest.Item):
    """One check of one thing that a plugin offers."""

    def __init__(self, *, suite: CheckSuite, check: str, expected_reason: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._suite, self._check, self._expected_reason = suite, check, expected_reason

    def runtest(self) -> None:
        """Run the check."""
        from zoo.testing import CheckFailure

        reason = self._expected_reason
        expected = {self._suite.name: {self._check: reason}} if reason is not None else None
        for outcome in self._suite.run(expected, only=[self._check]):
            if outcome.status == "failed":
                raise CheckFailure(str(outcome))
            if outcome.status == "xfailed":
                pytest.xfail(outcome.message)
            if outcome.status == "skipped":
                pytest.skip(outcome.message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the message of a failed check, without a traceback."""
        from zoo.testing import CheckFailure

        if isinstance(excinfo.value, CheckFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return the heading of a failure."""
        return self.path, None, f"zoo: {self.name}"
