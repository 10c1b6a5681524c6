"""The day page: today, any day, and keeping an entry on it."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import access, days, leafing, remembering, shown
from diary.errors import NotYet
from diary.forms import Written, written
from diary.models import Entry
from diary.openings.presenting import opening_of
from diary.services.entries import keep_entry
from diary.shown import Composer
from diary.texts import TextRefused
from diary.views.entries import address_of, entry_context


@require_safe
@unlocked
def today(request: HouseholdRequest) -> HttpResponse:
    """Show the day it is for this person."""
    return _page(request, days.today(request.user.time_zone, now=timezone.now()))


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def day(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show a day, or keep an entry on it."""
    return _keep(request, day) if request.method == "POST" else _page(request, day)


def _keep(request: HouseholdRequest, day: date) -> HttpResponse:
    sent = written(request)
    try:
        entry = keep_entry(
            owner_id=request.user.id,
            day=day,
            text=sent.text,
            key=sent.key,
            draft_revision=sent.revision,
            zone=request.user.time_zone,
        )
    except (TextRefused, NotYet) as refused:
        return _refused(request, day, sent=sent, sentence=refused.sentence)
    if not request.htmx:
        return redirect(address_of(entry))
    # Revision 0: what another tab is still writing here shows as a conflict, and is not written over.
    fresh = {"composer": shown.empty_composer(request.user, day), "composer_oob": True}
    kept = render_to_string("diary/fragments/entry.html", entry_context(request, entry, drafts=()), request)
    return HttpResponse(kept + render_to_string("diary/fragments/composer.html", fresh, request))


def _refused(request: HouseholdRequest, day: date, *, sent: Written, sentence: str) -> HttpResponse:
    composer = Composer(
        day=day,
        key=sent.key,
        revision=sent.revision,
        text=sent.shown_again,
        error=sentence,
        is_elsewhere=shown.is_elsewhere(request.user, day),
    )
    if request.htmx:
        return render(request, "diary/fragments/composer.html", {"composer": composer}, status=422)
    return _page(request, day, composer=composer, status=422)


def _page(
    request: HouseholdRequest, day: date, *, composer: Composer | None = None, status: int = 200
) -> HttpResponse:
    context = _day_context(request, day)
    if composer is not None:
        # Shown also on a day to come: the words were typed, and must not go with a refusal.
        context |= {"composer": composer, "is_written_on": True}
    return render(request, "diary/day.html", context, status=status)


def _day_context(request: HouseholdRequest, day: date) -> dict[str, Any]:
    person, now = request.user, timezone.now()
    now_day = days.today(person.time_zone, now=now)
    entries = access.entries_on(person.id, day)
    drafts = access.drafts_on(person.id, day)
    calendar = leafing.month_view(person, day, selected=day, now=now)
    until = now_day if day < now_day else leafing.last_day(person.id, now_day=now_day)
    return {
        "day": day,
        "is_today": day == now_day,
        "is_past": day < now_day,
        "is_future": day > now_day,
        # A day to come is written on once it has begun further east, where this person has been.
        "is_written_on": day <= now_day or bool(entries or drafts),
        "previous_day": days.day_before(day),
        "next_day": days.day_after(day, until=until),
        "calendar": calendar,
        "opening": opening_of(person, day, is_today=day == now_day),
        "entries": shown.entry_views(entries, zone=person.time_zone, drafts=drafts),
        "composer": shown.composer_of(person, day, drafts),
        "model_note": shown.model_note(),
        "first_day": not entries and not Entry.objects.of(person.id).order_by().exists(),
        "written_before": None if entries else leafing.nearest_before(person.id, day),
        "written_after": None if entries else leafing.nearest_after(person.id, day),
        "memories": remembering.memories(person.id, day),
        "undo": _undo(request, person.id, day),
    }


def _undo(request: HouseholdRequest, owner_id: UUID, day: date) -> UUID | None:
    """Return the entry of this day that was just deleted without script, so that the page offers it back."""
    said = request.GET.get("deleted", "")
    try:
        entry_id = UUID(said) if said else None
    except ValueError:
        return None
    gone = entry_id and Entry.objects.in_bin(owner_id).filter(id=entry_id, day=day).exists()
    return entry_id if gone else None
