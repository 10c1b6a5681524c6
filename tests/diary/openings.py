"""Having today opened as its page does, and what stands there then."""

import time
from datetime import date, timedelta

from diary.models import Entry, Opening
from diary.openings import services as openings_services
from tests.people import Resident


def before(owner: Resident, days: int) -> date:
    return owner.today - timedelta(days=days)


def wrote(owner: Resident, text: str, *, ago: int, hour: int = 12) -> Entry:
    at = owner.today_at(hour) - timedelta(days=ago)
    return owner.write(text, day=before(owner, ago), at=at)


def today(owner: Resident) -> str:
    return str(owner.get(f"/d/{owner.today}/").content.decode())


def open_day(owner: Resident, **fields: str) -> str:
    """Ask for today's opening as the page does, and wait for its end; answer what stands then."""
    answer = owner.post(f"/d/{owner.today}/opening/", script=True, **fields)
    assert answer.status_code == 200
    end(owner)
    return kept(owner)


def end(owner: Resident) -> None:
    until = time.monotonic() + 10
    while (job := openings_services.get_opening_job(owner.id, owner.today)) and not job.is_over:
        assert time.monotonic() < until
        time.sleep(0.02)


def kept(owner: Resident) -> str:
    with owner.unlocked():
        row = Opening.objects.filter(owner_id=owner.id).first()
        return str(row.text) if row else ""
