"""Tests that `manage.py bench` measures every group of figures."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from llamora.ops.benchmarks import dates, full_day, imports, pages
from llamora.ops.benchmarks.figures import BenchmarkReport
from llamora.ops.benchmarks.household import build_environment
from tests.conftest import ROOT
from tests.test_docs import list_settings


def test_finding_dates_is_measured() -> None:
    report = BenchmarkReport(write=lambda _: None)

    dates.measure(report)

    assert [
        str(figure["name"]).removeprefix("dates in 1,000 characters, ") for figure in report.as_json()
    ] == [
        "one language",
        "two languages",
        "seven languages",
        "one language, ten dates",
        "two languages, ten dates",
    ]
    assert all(float(str(figure["value"])) > 0 for figure in report.as_json())


@pytest.mark.slow
def test_every_group_is_measured(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    groups = ("sealing", "pages", "imports", "rotation", "tokens", "streams")
    command = [sys.executable, "manage.py", "bench", "--entries", "40", "--json", str(figures)]

    answer = subprocess.run(
        [*command, *(f"--only={group}" for group in groups)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    names = [figure["name"] for figure in json.loads(figures.read_text())]
    for part in (
        "seal a record",
        "sign in",
        "import 40 entries",
        "turn the key",
        "check an access token",
        "first token",
    ):
        assert any(part in name for name in names), part


class RecordingBrowser:
    """A browser that records the saved texts by day."""

    def __init__(self) -> None:
        self.saved: list[tuple[date, str]] = []

    def get(self, path: str) -> SimpleNamespace:
        return SimpleNamespace(status=200)

    def save(self, text: str, *, day: str) -> SimpleNamespace:
        self.saved.append((date.fromisoformat(day), text))
        return SimpleNamespace(status=200)


DATES = [date(2026, 12, 1), date(2027, 2, 28), date(2026, 7, 14), date(2028, 2, 29), date(2027, 1, 1)]


@pytest.mark.parametrize("today", DATES)
def test_the_ordinary_day_is_the_same_page_on_every_date(today: date) -> None:
    person = RecordingBrowser()

    pages._measure_days(BenchmarkReport(write=lambda _: None), person, today)  # type: ignore[arg-type]

    assert [text for day, text in person.saved if day == today] == list(pages.ORDINARY)
    others = {day for day, _ in person.saved} - {today}
    assert len(others) == 1
    assert all((day.year, day.month) != (today.year, today.month) and day.day != today.day for day in others)


@pytest.mark.parametrize("today", DATES)
def test_the_large_archive_does_not_reach_the_full_day(today: date) -> None:
    assert today - timedelta(days=imports.ARCHIVE_DAYS) > full_day.DAY


def test_no_folder_of_the_real_household_is_used_or_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file `.env` names them, which fills in whatever the environment leaves out."""
    folders = [name for name in list_settings() if name.endswith("_DIR")]
    for name in folders:
        monkeypatch.setenv(name, "/srv/real")

    environment = build_environment(tmp_path)

    assert set(folders) >= {"LLAMORA_DATA_DIR", "LLAMORA_BACKUP_DIR", "LLAMORA_RUNTIME_DIR"}
    assert [name for name in folders if tmp_path not in Path(environment[name]).parents] == []
    assert environment["LLAMORA_HOST"] == "127.0.0.1"
