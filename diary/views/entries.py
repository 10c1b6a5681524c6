"""One entry: its own address, editing it, moving it to another day, deleting it, and taking that back."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.answers import refused, typed_text
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import access, days, shown
from diary.errors import Conflict, NotThere, NotYet
from diary.forms import chosen_day, written
from diary.models import Draft, Entry
from diary.services.drafts import discard_draft
from diary.services.entries import delete_entry, edit_entry, move_entry, restore_entry
from diary.texts import TextRefused
from llamora.crypto import EnvelopeError

GONE = "This entry is not there any more, so nothing was saved. Copy what you typed and keep it as a new one."
NO_DAY = "Choose the day this belongs to."


def address_of(entry: Entry) -> str:
    """Return where an entry stands in its day."""
    return f"{reverse('day', args=[entry.day])}#entry-{entry.id}"


def entry_context(
    request: HouseholdRequest, entry: Entry, *, drafts: Collection[Draft] | None = None
) -> dict[str, Any]:
    """Return what the templates of one entry need."""
    if drafts is None:
        draft = access.draft_of(request.user.id, day=entry.day, entry_id=entry.id)
        drafts = [draft] if draft else []
    (view,) = shown.entry_views([entry], zone=request.user.time_zone, drafts=drafts)
    return {"entry": view, "day": entry.day}


def fragment(request: HouseholdRequest, entry: Entry) -> HttpResponse:
    """Answer with the entry, as it stands in its day."""
    if not request.htmx:
        return redirect(address_of(entry))
    return render(request, "diary/fragments/entry.html", entry_context(request, entry))


@require_safe
@unlocked
def entry(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show an entry by its own address."""
    return fragment(request, access.entry_of(request.user.id, entry_id))


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def edit(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show an entry's text to be changed, or put the changed text in its place."""
    try:
        return _save(request, entry_id) if request.method == "POST" else _open(request, entry_id)
    except NotThere:
        if not typed_text(request):
            raise
        # Deleted in another tab: what was typed here must not go with a bare 404.
        return refused(request, status=404, title="Not saved", sentence=GONE)
    except EnvelopeError:
        return refused(request, status=422, title="This entry cannot be changed", sentence=shown.DAMAGED)


def _open(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the form with what was being changed, beside what is kept where that was changed meanwhile."""
    entry = access.entry_of(request.user.id, entry_id)
    draft = access.draft_of(request.user.id, day=entry.day, entry_id=entry_id)
    if draft is None:
        return _form(request, entry, {"text": entry.text, "revision": entry.revision})
    text = shown.draft_text(draft)
    if text is None:
        # With its revision, so that what is typed now can take its place.
        damaged = {"draft_revision": draft.revision, "error": shown.DAMAGED_DRAFT}
        return _form(request, entry, damaged | {"text": entry.text, "revision": entry.revision})
    saved_at = days.clock(draft.updated_at, request.user.time_zone)
    extra = {"draft_revision": draft.revision, "saved_at": saved_at, "text": text}
    if draft.based_on not in (None, entry.revision):
        return _conflict(request, entry, yours=text, extra=extra, status=200)
    return _form(request, entry, extra | {"revision": entry.revision})


def _form(
    request: HouseholdRequest, entry: Entry, extra: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    name = "diary/fragments/edit_form.html" if request.htmx else "diary/entry_edit.html"
    return render(request, name, entry_context(request, entry) | extra, status=status)


def _save(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    sent = written(request)
    try:
        entry = edit_entry(
            owner_id=request.user.id,
            entry_id=entry_id,
            text=_both(request, entry_id, sent.text) if "both" in request.POST else sent.text,
            revision=sent.revision,
            draft_revision=sent.draft_revision,
        )
    except TextRefused as error:
        entry = access.entry_of(request.user.id, entry_id)
        extra = {"text": sent.shown_again, "revision": sent.revision, "error": error.sentence}
        return _form(request, entry, extra | {"draft_revision": sent.draft_revision}, status=422)
    except Conflict:
        entry = access.entry_of(request.user.id, entry_id)
        extra = {"draft_revision": sent.draft_revision}
        return _conflict(request, entry, yours=sent.shown_again, extra=extra, status=409)
    return fragment(request, entry)


def _both(request: HouseholdRequest, entry_id: UUID, text: str) -> str:
    """Return a text with what is kept below it; for pages without script."""
    return f"{text.rstrip()}\n\n{access.entry_of(request.user.id, entry_id).text}"


def _conflict(
    request: HouseholdRequest, entry: Entry, *, yours: str, extra: dict[str, Any], status: int
) -> HttpResponse:
    """Show both texts; saving again is based on what is kept now."""
    texts = {"yours": yours, "theirs": entry.text, "revision": entry.revision}
    name = "diary/fragments/conflict.html" if request.htmx else "diary/conflict.html"
    return render(request, name, entry_context(request, entry) | extra | texts, status=status)


@require_POST
@unlocked
def discard(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Let go of what was being changed; the entry stays as it is kept."""
    entry = access.entry_of(request.user.id, entry_id)
    discard_draft(owner_id=request.user.id, entry_id=entry.id)
    return fragment(request, entry)


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def move(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Ask for another day, or put the entry there."""
    entry = access.entry_of(request.user.id, entry_id)
    if request.method != "POST":
        return _move_form(request, entry)
    day = chosen_day(request.POST.get("day", ""))
    if day is None:
        return _move_form(request, entry, error=NO_DAY, status=422)
    try:
        before = move_entry(owner_id=request.user.id, entry_id=entry_id, day=day)
    except (NotYet, EnvelopeError) as error:
        sentence = error.sentence if isinstance(error, NotYet) else shown.DAMAGED
        return _move_form(request, entry, error=sentence, status=422)
    if not request.htmx or "back" in request.POST:
        return fragment(request, access.entry_of(request.user.id, entry_id))
    return render(request, "diary/fragments/moved.html", {"entry_id": entry_id, "day": day, "before": before})


def _move_form(
    request: HouseholdRequest, entry: Entry, *, error: str = "", status: int = 200
) -> HttpResponse:
    name = "diary/fragments/move_form.html" if request.htmx else "diary/entry_move.html"
    latest = days.today(request.user.time_zone, now=timezone.now())
    context = entry_context(request, entry) | {"error": error, "latest": max(latest, entry.day)}
    return render(request, name, context, status=status)


@require_POST
@unlocked
def delete(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Put an entry in the bin and offer it back."""
    entry = delete_entry(owner_id=request.user.id, entry_id=entry_id)
    if not request.htmx:
        return redirect(f"{reverse('day', args=[entry.day])}?deleted={entry.id}")
    return render(request, "diary/fragments/undo.html", {"entry_id": entry.id})


@require_POST
@unlocked
def restore(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Take an entry out of the bin."""
    return fragment(request, restore_entry(owner_id=request.user.id, entry_id=entry_id))
