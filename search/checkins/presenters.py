"""Template data of check-ins: for their own page, and for a section of today's page.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from diary.hooks import TodaySection
from llamora.crypto import RealmKeyring
from llamora.database import CachedQuery
from llamora.inference.job import Author, JobState
from llamora.inference.messages import describe_author, get_message
from search import messages
from search.checkins.choices import CheckInChoices, load_choices
from search.checkins.request_list import ListedRequest, parse_requests
from search.checkins.services import REQUESTS_PATH, find_requests_note, list_open_requests
from search.checkins.threads import find_next_due
from search.models import CheckIn, CheckInProposal

_TODAY_TEMPLATE: Final = "search/fragments/check_in_proposals.html"
MAX_LISTED: Final = 12
MAX_SHOWN: Final = 20
INTERVALS: Final = (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)


@dataclass(frozen=True, kw_only=True)
class ProposalView:
    """A proposal: its request, text, quotes and model; a damaged one has no text."""

    id: UUID
    request: str = field(repr=False)
    text: str | None = field(repr=False)
    quotes: Sequence[str] = field(default=(), repr=False)
    author: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckInView:
    """Template data of a recent check-in: its local time, its result or present state, and who started it."""

    at: datetime
    sentence: str
    # What a schedule did not start: "by hand", or "for a program".
    starter: str = ""


def build_page(person: Person, keyring: RealmKeyring, *, now: datetime) -> dict[str, Any]:
    """Return the template context of the page of check-ins."""
    zone = load_time_zone(person.time_zone)
    choices, note = load_choices(person.id), find_requests_note(keyring)
    requests = parse_requests(note.text) if note is not None and note.text is not None else []
    open_lines = {one.line for one in list_open_requests(keyring, now=now.astimezone(zone))}
    due = find_next_due(person, now=now)
    return {
        "choices": choices,
        "form": build_form(choices),
        "intervals": [(minutes, messages.get_interval_name(minutes)) for minutes in INTERVALS],
        "requests": [_describe_request(one, open_lines) for one in requests],
        "note": note,
        "requests_path": REQUESTS_PATH,
        "next_due": due.astimezone(zone) if due is not None else None,
        "proposals": list_proposals(person.id),
        "check_ins": _list_check_ins(person.id, zone=person.time_zone),
        "today_day": now.astimezone(zone).date(),
    }


def build_form(choices: CheckInChoices) -> dict[str, Any]:
    """Return the values with which the HTML form of the settings is filled."""
    return {
        "is_on": choices.is_on,
        "interval": choices.interval // timedelta(minutes=1),
        "start": choices.hours.start.isoformat("minutes"),
        "end": choices.hours.end.isoformat("minutes"),
    }


def list_proposals(owner_id: UUID) -> list[ProposalView]:
    """Return the open proposals, the oldest first."""
    return [build_proposal(row) for row in _open_query(owner_id=owner_id)]


def build_today_section(person: Person) -> TodaySection | None:
    """Return the open proposals for today's page, or None if there are none."""
    proposals = list_proposals(person.id)
    return TodaySection(template=_TODAY_TEMPLATE, content=proposals) if proposals else None


_open_query: CachedQuery[CheckInProposal] = CachedQuery(
    lambda owner_id: CheckInProposal.objects.filter(owner_id=owner_id, is_open=True)[:MAX_SHOWN]
)


def build_proposal(row: CheckInProposal) -> ProposalView:
    """Return the template data of a proposal."""
    body = row.open_or("body", None) or {}
    text = body.get("text")
    return ProposalView(
        id=row.id,
        request=str(body.get("request", "")),
        text=str(text) if text else None,
        quotes=[str(quote) for quote in body.get("quotes", [])],
        author=describe_author(Author(model=str(body.get("model", "")))),
    )


def describe_end(state: str, reason: str, *, proposals: int = 0) -> str:
    """Return a sentence on how a check-in ended. `proposals` is the number of proposals that it saved."""
    if state == JobState.FAILED:
        return messages.CHECK_IN_REASONS.get(reason) or get_message(reason)
    if state == JobState.DONE and reason:
        return messages.CHECK_IN_REASONS.get(reason, messages.CHECK_IN_STATES[JobState.DONE])
    if state == JobState.DONE:
        return messages.get_proposals_message(proposals)
    # A state that was damaged is none that a check-in can have now.
    return messages.CHECK_IN_STATES.get(state, messages.CHECK_IN_STATES[JobState.INTERRUPTED])


def _describe_request(request: ListedRequest, open_lines: set[int]) -> dict[str, object]:
    is_open = request.line in open_lines
    return {"text": request.text, "when": request.when, "is_done": request.is_done, "is_open": is_open}


def _list_check_ins(owner_id: UUID, *, zone: str) -> list[CheckInView]:
    rows = CheckIn.objects.filter(owner_id=owner_id).annotate(proposal_count=Count("proposals"))
    return [
        CheckInView(
            at=row.due_at.astimezone(load_time_zone(zone)),
            sentence=describe_end(row.state, row.reason, proposals=row.proposal_count),
            starter=_describe_starter(row),
        )
        for row in rows[:MAX_LISTED]
    ]


def _describe_starter(row: CheckIn) -> str:
    if not row.is_by_hand:
        return ""
    body = row.open_or("body", None) or {}
    return messages.BY_PROGRAM if body.get("by_program") is True else messages.BY_HAND
