"""The tests of `tests/browser` in a separate process, since Playwright's sync API excludes Django's ORM."""

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import retries
from tests.conftest import IN_BROWSER_RUN, ROOT

FOLDER = ROOT / "tests" / "browser"
DEFAULT = "not slow and not extended"
NO_TESTS = 5


@pytest.mark.browser
@pytest.mark.skipif(IN_BROWSER_RUN, reason="this is that process")
@pytest.mark.parametrize(
    "marks",
    [
        DEFAULT,
        pytest.param("extended", marks=pytest.mark.extended),
        pytest.param("slow", marks=pytest.mark.slow),
    ],
)
def test_the_browser_suite_passes(
    capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None], marks: str
) -> None:
    # Each drives a browser of several processes: more than two at a time wait for each other too long. Those
    # of the default run are done before the rest of it, so that a second start would be for nothing.
    processes = "0" if marks == DEFAULT else "2"
    options = ["-n", processes, "-m", marks, "-rsf", "--durations=3"]
    command = [sys.executable, "-m", "pytest", str(FOLDER), *options]
    environment = {**os.environ, "LLAMORA_TEST_BROWSER_RUN": "1"}

    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    for retried in retries.find_retried_failures(run.stdout):
        record_property(retries.PROPERTY, retried)
    with capsys.disabled():
        print(f"\n--- tests/browser, {marks} ---\n" + run.stdout[-6000:] + run.stderr[-2000:])
    if marks == "slow" and run.returncode == NO_TESTS:
        return
    assert run.returncode == 0, f"the browser suite failed:\n{run.stdout[-6000:]}{run.stderr[-2000:]}"
    assert re.search(r"\b[1-9]\d* passed", run.stdout), "the browser suite ran nothing"
