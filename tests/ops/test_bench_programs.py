"""Tests of `bench --only api`: programs call a real server while the waits of a person are measured."""

from datetime import date
from pathlib import Path

import pytest

from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.figures import BenchmarkReport
from llamora.ops.benchmarks.household import BenchmarkHousehold
from llamora.ops.benchmarks.programs import calls, imports
from tests.browser_client import set_up_token
from tests.server import Server, run_server


def as_household(server: Server) -> BenchmarkHousehold:
    """Return a server of the tests as `bench` sees its own."""
    return BenchmarkHousehold(
        folder=server.folder,
        process=server.process,  # type: ignore[arg-type]  # only its number is read
        environment=server.environment,
        port=server.port,
    )


@pytest.mark.slow
def test_programs_call_beside_a_person(tmp_path: Path) -> None:
    report = BenchmarkReport(write=lambda _: None)
    with run_server(tmp_path) as server:
        BrowserClient(port=server.port).register("anna", set_up=set_up_token(server))

        calls.measure(
            report, as_household(server), name="anna", today=date(2026, 3, 5), programs=3, seconds=5.0
        )

        log = server.log()
    found = {str(figure["name"]).strip(): figure for figure in report.as_json()}
    assert found["calls of programs"]["value"] == pytest.approx(6)
    assert (found["calls that failed"]["value"], found["calls that failed"]["unit"]) == (0, "of 30")
    assert {"read a day", "search", "write"} <= found.keys()
    assert log.count("GET /api/v1/days/<str:day> 200") == 15
    assert log.count("POST /api/v1/search 200") == 12
    assert log.count("POST /api/v1/entries 201") == 3
    pages = [figure for name, figure in found.items() if name.startswith("today's page of a person")]
    assert len(pages) == 4
    assert all(figure["ratio"] for figure in pages)
    assert found["pages and saves that failed"]["value"] == 0
    assert found["the server's time for a call"]["value"]


def test_calls_that_fail_are_counted_by_their_kind(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        found = calls._run_programs(
            server.port, ["llamora_" + "0" * 86], seconds=5.0, days=("2026-03-05", "2026-03-06")
        )

    assert found["errors"] == {"read a day: 401": 5, "search: 401": 4, "write: 401": 1}


def test_what_the_api_adds_to_a_start_is_measured() -> None:
    report = BenchmarkReport(write=lambda _: None)

    imports.measure(report, rounds=1)

    start, memory = report.as_json()
    assert (start["unit"], memory["unit"]) == ("ms of CPU", "MiB")
    assert 0 < float(str(start["ratio"])) < 1
    assert 0 < float(str(memory["ratio"])) < 1
