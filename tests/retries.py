"""Retries of tests: allowed only with `@pytest.mark.flaky(reruns=..., reason="...")`, and reported.

A failure that disappears when repeated is most often a race. So no option retries all tests, and the marker
states the reason. Each retried failure is printed and counted, including those of the process of the browser
tests, which `tests/test_browser_suite.py` passes on in `PROPERTY`.
"""

import re

import pytest
from _pytest.terminal import TerminalReporter

PROPERTY = "retried"

# Tests of these folders wait for a browser, on machines that are shared. What of them is retried is a race
# still to be found: the list must get shorter.
_WAIT_FOR_OTHERS = {"browser"}
_LINE = re.compile(r"^RETRIED (.+)$", re.MULTILINE)


def refuse_option(config: pytest.Config) -> None:
    """Refuse an option, or a line of a configuration, that would retry every test."""
    if any(config.getoption(name, default=None) for name in ("reruns", "force_reruns")) or config.getini(
        "reruns"
    ):
        raise pytest.UsageError(
            "Retries hide races: mark a test as flaky, with a reason, instead of --reruns."
        )


def allow_for_waiting_tests(items: list[pytest.Item]) -> None:
    """Add the marker to tests that wait for other processes."""
    for item in items:
        folder = item.path.parent.name
        if folder in _WAIT_FOR_OTHERS and item.get_closest_marker("flaky") is None:
            item.add_marker(pytest.mark.flaky(reruns=2, reason="waits for others on a shared machine"))


def refuse_unexplained(items: list[pytest.Item]) -> None:
    """Refuse a marker without a reason."""
    for item in items:
        if any(not marker.kwargs.get("reason") for marker in item.iter_markers("flaky")):
            raise pytest.UsageError(f"{item.nodeid} is marked as flaky: say the reason.")


def find_retried_failures(output: str) -> list[str]:
    """Return the lines about retried failures in the output of a pytest run."""
    return _LINE.findall(output)


class RetryReporter:
    """A pytest plugin that prints and counts retried failures, including those of other processes."""

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the retried failures, each with the line of the failure."""
        retried = [_describe(report) for report in terminalreporter.stats.get("rerun", [])]
        for reports in terminalreporter.stats.values():
            for report in reports:
                properties = getattr(report, "user_properties", ())
                retried += [text for name, text in properties if name == PROPERTY and report.when == "call"]
        if retried:
            terminalreporter.write_sep("=", f"retried failures: {len(retried)}", yellow=True)
            for text in retried:
                terminalreporter.write_line(f"RETRIED {text}")


def _describe(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    message = (getattr(crash, "message", None) or report.longreprtext).strip().partition("\n")[0]
    return f"{report.nodeid} ({report.when}): {message}"
