"""The day page: today or any other day, saving an entry on it, and the list of keyboard shortcuts."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.keys.sealed_preferences import save_preferences
from diary import days, hooks
from diary.calendar import on_this_day
from diary.calendar import queries as calendar_queries
from diary.drafts.unchecked_drafts import has_unchecked_drafts
from diary.entries import presenters
from diary.entries import queries as entries_queries
from diary.entries.forms import SubmittedText, parse_submitted_text
from diary.entries.presenters import ComposerView
from diary.entries.services import save_entry
from diary.entries.text_validation import InvalidText
from diary.entries.views import build_entry_context, get_entry_url
from diary.errors import DayNotBegun
from diary.model_status_line import build_page_status_line
from diary.models import Entry
from diary.openings.presenters import get_opening_view


@require_safe
@unlock_required
def today(request: HouseholdRequest) -> HttpResponse:
    """Show the person's today."""
    return _render_page(request, days.today(request.user.time_zone, now=timezone.now()))


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def day(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show a day, or save an entry on it."""
    return _save(request, day) if request.method == "POST" else _render_page(request, day)


def _save(request: HouseholdRequest, day: date) -> HttpResponse:
    sent = parse_submitted_text(request)
    try:
        entry, is_new = save_entry(
            owner_id=request.user.id, day=day, zone=request.user.time_zone, **sent.entry_values
        )
    except (InvalidText, DayNotBegun) as refused:
        return _refuse(request, day, sent=sent, sentence=refused.sentence)
    if not request.htmx:
        return redirect(get_entry_url(entry))
    # Its revision is 0: a draft that another tab is still writing is a conflict, and is not overwritten.
    composer_context = {"composer": presenters.build_empty_composer(request.user, day), "composer_oob": True}
    entry_html = render_to_string(
        "diary/fragments/entry.html", build_entry_context(request, entry, drafts=(), is_new=is_new), request
    )
    composer_html = render_to_string("diary/fragments/composer.html", composer_context, request)
    return HttpResponse(entry_html + composer_html)


def _refuse(request: HouseholdRequest, day: date, *, sent: SubmittedText, sentence: str) -> HttpResponse:
    composer = presenters.build_refused_composer(request.user, day, submitted=sent, sentence=sentence)
    if request.htmx:
        return render(request, "diary/fragments/composer.html", {"composer": composer}, status=422)
    return _render_page(request, day, composer=composer, status=422)


def _render_page(
    request: HouseholdRequest, day: date, *, composer: ComposerView | None = None, status: int = 200
) -> HttpResponse:
    context = _build_day_context(request, day)
    if composer is not None:
        # Shown on a future day too: the text that was typed must not be lost with the refusal.
        context |= {"composer": composer, "is_written_on": True}
    return render(request, "diary/day.html", context, status=status)


def _build_day_context(request: HouseholdRequest, day: date) -> dict[str, Any]:
    person, now = request.user, timezone.now()
    now_day = days.today(person.time_zone, now=now)
    entries = entries_queries.list_entries(person.id, day)
    drafts = entries_queries.list_drafts(person.id, day)
    calendar = calendar_queries.build_month_view(person, day, selected=day, now=now)
    until = now_day if day < now_day else calendar_queries.get_last_day(person.id, now_day=now_day)
    return {
        "day": day,
        "is_today": day == now_day,
        "is_past": day < now_day,
        "is_future": day > now_day,
        # A future day has entries where the person has been further east, where it has begun.
        "is_written_on": day <= now_day or bool(entries or drafts),
        "previous_day": days.day_before(day),
        "next_day": days.day_after(day, until=until),
        "calendar": calendar,
        "opening": get_opening_view(person, day, is_today=day == now_day),
        "sections": hooks.build_today_sections(person) if day == now_day else [],
        "entries": presenters.build_entry_views(entries, zone=person.time_zone, drafts=drafts),
        "composer": presenters.build_composer(person, day, drafts),
        "has_unchecked_drafts": has_unchecked_drafts(request.vault.keyring),
        **build_page_status_line(person, day),
        "first_day": not entries and not Entry.objects.for_owner(person.id).order_by().exists(),
        "written_before": None if entries else calendar_queries.find_nearest_day_before(person.id, day),
        "written_after": None if entries else calendar_queries.find_nearest_day_after(person.id, day),
        "memories": on_this_day.list_past_years(person.id, day),
        "undo": _get_undo_id(request, person.id, day),
    }


def _get_undo_id(request: HouseholdRequest, owner_id: UUID, day: date) -> UUID | None:
    """Return the entry of this day that was just deleted by a plain form, so that the page offers undo."""
    try:
        entry_id = UUID(request.GET.get("deleted", ""))
    except ValueError:
        return None
    is_in_bin = Entry.objects.in_bin(owner_id).filter(id=entry_id, day=day).exists()
    return entry_id if is_in_bin else None


@unlock_required
def hide_model_notice(request: HouseholdRequest, day: date) -> HttpResponse:
    """Dismiss the notice that there is no model."""
    if request.method == "POST":
        request.user.hides_model_notice = True
        save_preferences(request.user, names=["hides_model_notice"])
    return HttpResponse() if request.htmx else redirect("day", day)


@require_safe
@unlock_required
def shortcuts(request: HouseholdRequest) -> HttpResponse:
    """Show the keyboard shortcuts, as a page or as a dialog over the current page."""
    return render(request, "diary/fragments/shortcuts.html" if request.htmx else "diary/shortcuts.html")
