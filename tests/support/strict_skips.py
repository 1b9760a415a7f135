"""Pytest's `--strict-skips`: a test that is skipped for a reason that is not listed here fails the run.

Continuous integration uses it, so that the tests of the web page, of MQTT and of cameras cannot
go missing because a browser, a broker or a server could not be installed.
"""

from __future__ import annotations

import pytest

ALLOWED = {
    "the reference data beside the repository is not here": "it is too large for the repository",
    "root may write everywhere": "containers run as root; the test needs another user",
    "mounting a small file system takes root": "developers seldom are root",
    "there is no mount command here": "a container may leave it out",
    "no file system can be mounted here": "a container may not be allowed to",
    "render_people.py has not fetched": "the package of figures is fetched from npm by hand",
}
"""How reasons begin that are allowed, and why."""


class StrictSkips:
    """Collects the reasons of skipped tests, in the process that gathers the results."""

    def __init__(self) -> None:
        self.unexpected: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unexpected:
            terminalreporter.section("skipped without an allowed reason", red=True)
            for test, reason in sorted(self.unexpected.items()):
                terminalreporter.line(f"{test}: {reason}")

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
            reason = reason.removeprefix("Skipped: ")
            if not reason.startswith(tuple(ALLOWED)):
                self.unexpected[report.nodeid] = reason


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help="fail if a test is skipped for a reason that tests/support/strict_skips.py does not list",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--strict-skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(StrictSkips(), "strict-skips")
