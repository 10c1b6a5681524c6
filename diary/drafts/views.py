"""The endpoint that saves drafts while typing, even if the diary was locked meanwhile; JSON."""

from datetime import date, datetime

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.decorators import sign_in_required
from accounts.http.request import HouseholdRequest
from accounts.preferences.languages import format_time, get_date_words
from diary import days, messages
from diary.drafts.late_drafts import store_late_draft
from diary.drafts.services import SubmittedDraft, save_draft
from diary.entries.forms import SubmittedText, parse_submitted_text
from diary.entries.text_validation import InvalidText
from diary.errors import EditConflict, PublicKeyUnknown
from diary.models import Draft, Entry
from llamora.crypto import EnvelopeError


@require_POST
@sign_in_required
def draft(request: HouseholdRequest, day: date) -> HttpResponse:
    """Save a draft; 409 if another tab saved another text, 423 if no public key is known."""
    sent = parse_submitted_text(request)
    try:
        revision = _save(request, day, sent)
    except EditConflict as conflict:
        return _respond_with_conflict(request, conflict.row)
    except InvalidText as refused:
        return JsonResponse({"error": refused.sentence}, status=422)
    except PublicKeyUnknown as refused:
        return JsonResponse({"error": refused.sentence}, status=423, headers={"HX-Trigger": "llamora:locked"})
    except EnvelopeError:
        return JsonResponse({"error": messages.DAMAGED_SAVED_DRAFT}, status=422)
    return JsonResponse({"revision": revision, "saved_at": _format_saved_at(request, timezone.now())})


def _respond_with_conflict(request: HouseholdRequest, other: Entry | Draft) -> HttpResponse:
    """Respond with the saved text, which the page shows beside its own text."""
    saved_at = _format_saved_at(request, other.updated_at) if isinstance(other, Draft) else ""
    return JsonResponse({"revision": other.revision, "text": other.text, "saved_at": saved_at}, status=409)


def _format_saved_at(request: HouseholdRequest, moment: datetime) -> str:
    """Return the time of a moment as text, with the day unless it is today."""
    person = request.user
    local = days.to_local_time(moment, person.time_zone)
    time = format_time(local.strftime("%H:%M"), hours=person.clock)
    if local.date() == days.today(person.time_zone, now=timezone.now()):
        return time
    return f"{get_date_words(person.language).month_day(local.date())}, {time}"


def _save(request: HouseholdRequest, day: date, sent: SubmittedText) -> int:
    draft = SubmittedDraft(
        owner_id=request.user.id,
        day=day,
        text=sent.text,
        revision=sent.revision,
        entry_id=sent.entry_id,
        based_on=sent.based_on,
        sign_in_id=request.vault.sign_in_id,
        previous_text=sent.previous_text,
    )
    return save_draft(draft).revision if request.vault.is_unlocked else store_late_draft(draft)
