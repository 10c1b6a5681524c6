"""Views of one entry: show, edit, move to another day, delete, and restore from the bin."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.error_responses import get_typed_text, render_refusal
from accounts.http.request import HouseholdRequest
from diary import days, messages
from diary.drafts.services import discard_draft
from diary.entries import presenters
from diary.entries.forms import parse_chosen_day, parse_submitted_text
from diary.entries.queries import find_draft, get_entry
from diary.entries.services import delete_entry, edit_entry, move_entry, restore_entry
from diary.entries.text_validation import InvalidText
from diary.errors import DayNotBegun, EditConflict, ObjectNotFound
from diary.models import Draft, Entry
from llamora.crypto import EnvelopeError


def get_entry_url(entry: Entry) -> str:
    """Return the URL of an entry on its day page."""
    return f"{reverse('day', args=[entry.day])}#entry-{entry.id}"


def build_entry_context(
    request: HouseholdRequest, entry: Entry, *, drafts: Collection[Draft] | None = None, is_new: bool = False
) -> dict[str, Any]:
    """Return the template context of an entry.

    If both `is_new` and `drafts` are given, no database query is made.
    """
    if drafts is None:
        draft = find_draft(request.user.id, day=entry.day, entry_id=entry.id)
        drafts = [draft] if draft else []
    (view,) = presenters.build_entry_views(
        [entry], zone=request.user.time_zone, drafts=drafts, are_new=is_new
    )
    return {"entry": view, "day": entry.day}


def respond_with_entry(request: HouseholdRequest, entry: Entry) -> HttpResponse:
    """Return the entry as an HTML fragment if a script asked, else redirect to its day."""
    if not request.htmx:
        return redirect(get_entry_url(entry))
    return render(request, "diary/fragments/entry.html", build_entry_context(request, entry))


@require_safe
@unlock_required
def entry(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show an entry as a fragment, or redirect to the entry on its day page."""
    return respond_with_entry(request, get_entry(request.user.id, entry_id))


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def edit(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the edit form of an entry, or save the edit."""
    try:
        return _save(request, entry_id) if request.method == "POST" else _show_form(request, entry_id)
    except ObjectNotFound:
        if not get_typed_text(request):
            raise
        # Deleted in another tab: a bare 404 would lose what was typed here.
        return render_refusal(
            request, status=404, title=messages.NOT_SAVED_TITLE, sentence=messages.ENTRY_GONE
        )
    except EnvelopeError:
        return render_refusal(
            request, status=422, title=messages.ENTRY_DAMAGED_TITLE, sentence=messages.DAMAGED_ENTRY
        )


def _show_form(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the form with the draft of the edit, or both texts if another edit was saved meanwhile."""
    entry = get_entry(request.user.id, entry_id)
    draft = find_draft(request.user.id, day=entry.day, entry_id=entry_id)
    if draft is None:
        return _render_form(request, entry, {"text": entry.text, "revision": entry.revision})
    text = presenters.load_draft_text(draft)
    if text is None:
        # With its revision, so that what is typed now replaces it.
        damaged = {"draft_revision": draft.revision, "error": messages.DAMAGED_DRAFT}
        return _render_form(request, entry, damaged | {"text": entry.text, "revision": entry.revision})
    saved_at = days.format_time(draft.updated_at, request.user.time_zone)
    extra = {"draft_revision": draft.revision, "saved_at": saved_at, "text": text}
    if draft.based_on not in (None, entry.revision):
        return _render_conflict(request, entry, yours=text, extra=extra, status=200)
    return _render_form(request, entry, extra | {"revision": entry.revision})


def _render_form(
    request: HouseholdRequest, entry: Entry, extra: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    name = "diary/fragments/edit_form.html" if request.htmx else "diary/entry_edit.html"
    return render(request, name, build_entry_context(request, entry) | extra, status=status)


def _save(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    sent = parse_submitted_text(request)
    try:
        entry = edit_entry(
            owner_id=request.user.id,
            entry_id=entry_id,
            text=_join_texts(request, entry_id, sent.text) if "both" in request.POST else sent.text,
            revision=sent.revision,
            draft_revision=sent.draft_revision,
        )
    except InvalidText as error:
        entry = get_entry(request.user.id, entry_id)
        extra = {"text": sent.displayable_text, "revision": sent.revision, "error": error.sentence}
        return _render_form(request, entry, extra | {"draft_revision": sent.draft_revision}, status=422)
    except EditConflict:
        entry = get_entry(request.user.id, entry_id)
        extra = {"draft_revision": sent.draft_revision}
        return _render_conflict(request, entry, yours=sent.displayable_text, extra=extra, status=409)
    return respond_with_entry(request, entry)


def _join_texts(request: HouseholdRequest, entry_id: UUID, text: str) -> str:
    """Return the posted text followed by the saved text, as a page without script asks after a conflict."""
    return f"{text.rstrip()}\n\n{get_entry(request.user.id, entry_id).text}"


def _render_conflict(
    request: HouseholdRequest, entry: Entry, *, yours: str, extra: dict[str, Any], status: int
) -> HttpResponse:
    """Show both texts; the next save is based on the revision of the saved text."""
    texts = {"yours": yours, "theirs": entry.text, "revision": entry.revision}
    name = "diary/fragments/conflict.html" if request.htmx else "diary/conflict.html"
    return render(request, name, build_entry_context(request, entry) | extra | texts, status=status)


@require_POST
@unlock_required
def discard(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Discard the draft of an edit; the entry itself does not change."""
    entry = get_entry(request.user.id, entry_id)
    discard_draft(owner_id=request.user.id, entry_id=entry.id)
    return respond_with_entry(request, entry)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def move(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the form for the new day of an entry, or move the entry."""
    entry = get_entry(request.user.id, entry_id)
    if request.method != "POST":
        return _render_move_form(request, entry)
    day = parse_chosen_day(request.POST.get("day", ""))
    if day is None:
        return _render_move_form(request, entry, error=messages.NO_DAY, status=422)
    try:
        before = move_entry(owner_id=request.user.id, entry_id=entry_id, day=day)
    except (DayNotBegun, EnvelopeError) as error:
        sentence = error.sentence if isinstance(error, DayNotBegun) else messages.DAMAGED_ENTRY
        return _render_move_form(request, entry, error=sentence, status=422)
    if not request.htmx or "back" in request.POST:
        return respond_with_entry(request, get_entry(request.user.id, entry_id))
    return render(
        request, "diary/fragments/entry_moved.html", {"entry_id": entry_id, "day": day, "before": before}
    )


def _render_move_form(
    request: HouseholdRequest, entry: Entry, *, error: str = "", status: int = 200
) -> HttpResponse:
    name = "diary/fragments/move_form.html" if request.htmx else "diary/entry_move.html"
    latest = days.today(request.user.time_zone, now=timezone.now())
    context = build_entry_context(request, entry) | {"error": error, "latest": max(latest, entry.day)}
    return render(request, name, context, status=status)


@require_POST
@unlock_required
def delete(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Move an entry to the bin, and offer undo."""
    entry = delete_entry(owner_id=request.user.id, entry_id=entry_id)
    if not request.htmx:
        return redirect(f"{reverse('day', args=[entry.day])}?deleted={entry.id}")
    return render(request, "diary/fragments/entry_deleted.html", {"entry_id": entry.id})


@require_POST
@unlock_required
def restore(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Restore an entry from the bin."""
    return respond_with_entry(request, restore_entry(owner_id=request.user.id, entry_id=entry_id))
