"""Test steps for openings: writing earlier entries, requesting today's opening, reading its text."""

import time
from datetime import date, timedelta

from diary.models import Entry, Opening
from diary.openings import services as openings_services
from llamora.inference.job import Job
from tests.fakes.waiting import PATIENCE
from tests.people import Resident


def get_day_before(owner: Resident, days: int) -> date:
    return owner.today - timedelta(days=days)


def write_days_ago(owner: Resident, text: str, *, ago: int, hour: int = 12) -> Entry:
    at = owner.today_at(hour) - timedelta(days=ago)
    return owner.write(text, day=get_day_before(owner, ago), at=at)


def load_today(owner: Resident) -> str:
    return str(owner.get(f"/d/{owner.today}/").content.decode())


def open_day(owner: Resident, **fields: str) -> str:
    """Request today's opening as the page does, wait for its end, and return its text."""
    answer = owner.post(f"/d/{owner.today}/opening/", script=True, **fields)
    assert answer.status_code == 200
    wait_for_preloading(owner)
    return get_opening_text(owner)


def find_opening_job(owner: Resident) -> Job | None:
    """Return the latest job that writes the opening of today."""
    with owner.unlocked():
        return openings_services.get_opening_job(owner.today)


def wait_for_preloading(owner: Resident) -> None:
    until = time.monotonic() + PATIENCE
    while (job := find_opening_job(owner)) and not job.is_over:
        assert time.monotonic() < until
        time.sleep(0.02)


def get_opening_text(owner: Resident) -> str:
    with owner.unlocked():
        row = Opening.objects.filter(owner_id=owner.id).first()
        return str(row.text) if row else ""
