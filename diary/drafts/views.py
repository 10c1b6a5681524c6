"""Views of drafts: saving them while typing, even in a locked diary, and listing the unchecked ones.

The endpoint that saves answers in JSON.
"""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import sign_in_required, unlock_required
from accounts.http.request import HouseholdRequest
from accounts.preferences.languages import format_time, get_date_words
from accounts.sessions.cookies import get_session_cookie
from diary import days, messages
from diary.drafts import unchecked_drafts
from diary.drafts.late_drafts import store_late_draft
from diary.drafts.services import SubmittedDraft, save_draft
from diary.entries.forms import SubmittedText, parse_submitted_text
from diary.entries.text_validation import InvalidText
from diary.errors import EditConflict, LateDraftRefused
from diary.models import Draft, Entry
from llamora.crypto import EnvelopeError


@require_POST
@sign_in_required
def draft(request: HouseholdRequest, day: date) -> HttpResponse:
    """Save a draft, even while the diary is locked.

    The status is 409 if another tab saved another text, 422 if the text is invalid or the saved draft is
    damaged, and 423 if the diary is locked and the draft cannot be stored for its owner.
    """
    sent = parse_submitted_text(request)
    try:
        revision = _save(request, day, sent)
    except EditConflict as conflict:
        return _respond_with_conflict(request, conflict.row)
    except InvalidText as refused:
        return JsonResponse({"error": refused.sentence}, status=422)
    except LateDraftRefused as refused:
        return JsonResponse({"error": refused.sentence}, status=423, headers={"HX-Trigger": "llamora:locked"})
    except EnvelopeError:
        return JsonResponse({"error": messages.DAMAGED_SAVED_DRAFT}, status=422)
    return JsonResponse({"revision": revision, "saved_at": _format_saved_at(request, timezone.now())})


def _respond_with_conflict(request: HouseholdRequest, other: Entry | Draft) -> HttpResponse:
    """Respond with the saved text, which the page shows beside its own text."""
    saved_at = _format_saved_at(request, other.updated_at) if isinstance(other, Draft) else ""
    return JsonResponse({"revision": other.revision, "text": other.text, "saved_at": saved_at}, status=409)


def _format_saved_at(request: HouseholdRequest, moment: datetime) -> str:
    """Return a moment's time of day as text, with its day before it unless that is today."""
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
        previous_text=sent.previous_text,
    )
    if request.vault.is_unlocked:
        return save_draft(draft).revision
    return store_late_draft(draft, cookie=get_session_cookie(request))


# --- Drafts that could not be checked ----------------------------------------------------------------------


@require_safe
@unlock_required
def list_unchecked(request: HouseholdRequest) -> HttpResponse:
    """Show the drafts from locked pages that could not be verified or merged."""
    zone = request.user.time_zone
    drafts = unchecked_drafts.list_unchecked_drafts(request.vault.keyring)
    context = {
        "unchecked": [
            # Without a time zone: templates would convert the time again.
            replace(one, sent_at=days.to_local_time(one.sent_at, zone).replace(tzinfo=None))
            for one in drafts
        ],
        "is_cut": len(drafts) == unchecked_drafts.MAX_LISTED,
        "damaged_count": unchecked_drafts.count_damaged_drafts(request.user.id),
    }
    return render(request, "diary/unchecked_drafts.html", context)


@require_POST
@unlock_required
def delete_unchecked(request: HouseholdRequest, draft_id: UUID) -> HttpResponse:
    """Delete a draft that could not be verified or merged."""
    unchecked_drafts.delete_unchecked_draft(owner_id=request.user.id, draft_id=draft_id)
    return redirect("unchecked_drafts")


@require_POST
@unlock_required
def delete_damaged(request: HouseholdRequest) -> HttpResponse:
    """Delete the drafts that can't be read at all."""
    unchecked_drafts.delete_damaged_drafts(request.user.id)
    return redirect("unchecked_drafts")
