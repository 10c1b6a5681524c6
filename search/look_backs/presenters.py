"""Template data of look-backs, from running jobs or saved rows, and the list of all look-backs.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts.models import Person
from accounts.preferences.languages import get_date_words
from diary import hooks
from diary.generation.job_status import describe_state
from diary.generation.page_tasks import PageSection, build_from_job
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import get_task
from diary.rendering.page_texts import render_page_text
from llamora.crypto import current_keyring
from llamora.inference.job import LIVE_STATES, JobState
from llamora.inference.registry import registry
from search.ask.section import link_source_numbers
from search.ask.source_numbers import drop_unknown_numbers
from search.look_backs.periods import Period
from search.look_backs.section import LookBackSource, LookBackView, build_source, list_remarks, render_section
from search.look_backs.tasks import LookBackTask
from search.models import LookBack


@dataclass(frozen=True, kw_only=True)
class PeriodLink:
    """A week or a month in words, and the URL of its page."""

    name: str
    address: str


def build_period_link(period: Period, *, language: str) -> PeriodLink:
    """Return a week or a month in words, and the URL of its page."""
    words = get_date_words(language)
    if period.is_month:
        return PeriodLink(
            name=words.month_year(period.first), address=reverse("look_back_month", args=[period.first])
        )
    is_in_one_year = period.first.year == period.last.year
    first = words.month_day(period.first) if is_in_one_year else words.day(period.first)
    return PeriodLink(
        name=f"{first} – {words.day(period.last)}",
        address=reverse("look_back_week", args=[period.first]),
    )


def list_rows(owner_id: UUID, period: Period) -> list[LookBack]:
    """Return the look-backs on a week or a month, the latest first; usually there is one."""
    return list(
        LookBack.objects.filter(owner_id=owner_id, span=period.span, first_day=period.first).order_by(
            "-created_at", "-id"
        )
    )


def list_periods(owner_id: UUID) -> list[Period]:
    """Return the weeks and months that a person has look-backs on, the latest first."""
    rows = LookBack.objects.filter(owner_id=owner_id).order_by("-first_day", "span")
    return [
        Period("month" if span == "month" else "week", first)
        for span, first in dict.fromkeys(rows.values_list("span", "first_day"))
    ]


def read_digest(row: LookBack) -> str | None:
    """Return the digest of the entries that a look-back read, or None if it cannot be decrypted."""
    body = row.open_or("body", None)
    return str(body.get("digest", "")) if isinstance(body, dict) else None


def find_section(look_back_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return the page section of a look-back, or None if the person has no look-back with this id."""
    row = LookBack.objects.filter(owner_id=owner_id, id=look_back_id).first()
    if row is None:
        return None
    person = Person.objects.only("language").get(id=owner_id)
    return render_section(build_view(row, language=person.language), owner_id=owner_id)


def build_view(row: LookBack, *, language: str) -> LookBackView:
    """Return the template data of a look-back, from its job or from its row."""
    job = registry.get(row.id, current_keyring().key_id)
    if job is not None:
        return build_from_job(job, get_task(job, LookBackTask).build_view)
    opened = row.open_or("body", None)
    body: dict[str, Any] = opened if isinstance(opened, dict) else {}
    sources = _build_sources(body.get("days"), language=language)
    text = drop_unknown_numbers(str(body.get("text", "")), count=len(sources))
    # A row that no job of this process writes: the process that wrote it is gone.
    is_orphan = row.state in LIVE_STATES
    state, reason = (JobState.INTERRUPTED.value, "crashed") if is_orphan else (row.state, row.reason)
    record = PromptRecord.from_json(body.get("read")) or PromptRecord()
    left_out = len({day for _, day in record.left_out} | set(record.recaps_left_out))
    return LookBackView(
        id=row.id,
        state=state,
        html=link_source_numbers(
            render_page_text(text, has_links=False), question_id=row.id, count=len(sources)
        ),
        note=describe_state(state=state, reason=reason, is_empty=not text),
        sources=sources,
        facts=hooks.list_source_facts(row.owner_id, record.facts),
        remarks=list_remarks(record, days_left_out=left_out),
    )


def _build_sources(value: Any, *, language: str) -> list[LookBackSource]:
    """Return the numbered days that a look-back stores; none if the value is malformed."""
    try:
        pairs = [(date.fromisoformat(day), bool(is_recap)) for day, is_recap in value]
    except (TypeError, ValueError):
        return []
    return [
        build_source(number=number, day=day, is_recap=is_recap, language=language)
        for number, (day, is_recap) in enumerate(pairs, start=1)
    ]
