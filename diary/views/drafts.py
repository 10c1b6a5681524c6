"""Saving what is being written; answers in JSON, also from a page that has been locked meanwhile."""

from datetime import date, datetime

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.gates import signed_in
from accounts.http import HouseholdRequest
from accounts.languages import on_clock, words_of
from diary import days
from diary.errors import Conflict, NoKeyHere
from diary.forms import Written, written
from diary.models import Draft, Entry
from diary.services.drafts import DraftSent, save_draft
from diary.services.late_drafts import hold_late_draft
from diary.texts import TextRefused
from llamora.crypto import EnvelopeError

DAMAGED = "What was saved here before cannot be opened any more, so nothing was written over it."


@require_POST
@signed_in
def draft(request: HouseholdRequest, day: date) -> HttpResponse:
    """Save a draft; 409 where another text stands, 423 where it can only stay in the page."""
    sent = written(request)
    try:
        revision = _save(request, day, sent)
    except Conflict as conflict:
        return _both(request, conflict.row)
    except TextRefused as refused:
        return JsonResponse({"error": refused.sentence}, status=422)
    except NoKeyHere as refused:
        return JsonResponse({"error": refused.sentence}, status=423, headers={"HX-Trigger": "llamora:locked"})
    except EnvelopeError:
        return JsonResponse({"error": DAMAGED}, status=422)
    return JsonResponse({"revision": revision, "saved_at": _when(request, timezone.now())})


def _both(request: HouseholdRequest, other: Entry | Draft) -> HttpResponse:
    """Answer with the text that stands, for the page to show beside its own."""
    saved_at = _when(request, other.updated_at) if isinstance(other, Draft) else ""
    return JsonResponse({"revision": other.revision, "text": other.text, "saved_at": saved_at}, status=409)


def _when(request: HouseholdRequest, moment: datetime) -> str:
    """Return a moment as the person reads it: the time, and the day where that is over."""
    person = request.user
    saved = days.local(moment, person.time_zone)
    said = on_clock(saved.strftime("%H:%M"), hours=person.clock)
    if saved.date() == days.today(person.time_zone, now=timezone.now()):
        return said
    return f"{words_of(person.language).month_day(saved.date())}, {said}"


def _save(request: HouseholdRequest, day: date, sent: Written) -> int:
    draft = DraftSent(
        owner_id=request.user.id,
        day=day,
        text=sent.text,
        revision=sent.revision,
        entry_id=sent.entry_id,
        based_on=sent.based_on,
        over=sent.over,
    )
    return save_draft(draft).revision if request.vault.is_unlocked else hold_late_draft(draft)
