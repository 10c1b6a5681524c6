"""Test steps for check-ins: standing requests, answers of a scripted model, and the results."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from diary.notes.queries import find_note
from diary.notes.services import save_note
from search.checkins.choices import CheckInChoices, save_choices
from search.checkins.schedule import Hours
from search.checkins.services import StartedCheckIn, start_check_in
from search.models import CheckIn, CheckInProposal
from tests.fakes.script import Script
from tests.fakes.waiting import wait_for
from tests.people import Resident
from tests.search.indexing import open_index

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GARDEN, FATHER = "Ask me how the garden is", "Tell me what I wrote of my father"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = Hours(start=time(0), end=time(0))


def write_requests(who: Resident, *texts: str, origin: str = "own") -> None:
    """Save a list of requests as a person's note HEARTBEAT.md."""
    with who.unlocked():
        note = find_note(who.keyring, "HEARTBEAT.md")
        save_note(
            who.keyring,
            "HEARTBEAT.md",
            "".join(f"- [ ] {text}\n" for text in texts),
            note_id=note.id if note else None,
            based_on=note.revision if note else None,
            origin=origin,
        )


def read_requests(who: Resident) -> str:
    """Return the text of a person's note HEARTBEAT.md."""
    note = find_note(who.keyring, "HEARTBEAT.md")
    assert note is not None
    assert note.text is not None
    return note.text


def build_answer(*proposals: dict[str, Any], **parts: Any) -> Script:
    """Return a script with these proposals."""
    text = json.dumps({"nothing": not proposals, "proposals": proposals}, ensure_ascii=False)
    return Script(tokens=[text[:9], text[9:]], **parts)


def build_proposal(text: str, *quotes: str, request: int = 1) -> dict[str, Any]:
    """Return a proposal of the model."""
    return {"request": request, "text": text, "quotes": list(quotes)}


def switch_on(who: Resident, *, interval: timedelta = timedelta(hours=1), **parts: Any) -> None:
    """Switch check-ins on, all day long."""
    parts = {"hours": HOURS, "changed_at": LONG_AGO, **parts}
    choices = CheckInChoices(is_on=True, interval=interval, **parts)
    with who.unlocked():
        save_choices(who.id, choices)


def check_in(who: Resident, *, now: datetime = NOW, by_hand: bool = False) -> StartedCheckIn:
    """Make a check-in, and wait until its record is settled."""
    open_index(who)
    with who.unlocked():
        started = start_check_in(
            person=who.person, keyring=who.keyring, due_at=now, now=now, is_by_hand=by_hand
        )
    if started.job is not None:
        wait_for(lambda: not is_unsettled(who))
    return started


def is_unsettled(who: Resident) -> bool:
    """Return whether a check-in of a person is being made."""
    return CheckIn.objects.filter(owner_id=who.id, finished_at=None).exists()


def list_texts(who: Resident) -> list[str]:
    """Return the texts of the open proposals."""
    with who.unlocked():
        return [row.body["text"] for row in CheckInProposal.objects.filter(owner_id=who.id, is_open=True)]


def get_record(who: Resident) -> CheckIn:
    """Return the latest record, opened."""
    with who.unlocked():
        record = CheckIn.objects.filter(owner_id=who.id)[0]
        record.body = record.body
        return record
