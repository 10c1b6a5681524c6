"""Views of notes: listing, creating, showing, editing, renaming, restoring, claiming and deleting.

All work without script: a form returns to the page of its note. Drafts are saved by script, in JSON.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages as page_messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import sign_in_required, unlock_required
from accounts.http.error_responses import FORM_INVALID, LOCKED, get_typed_text, render_refusal
from accounts.http.request import HouseholdRequest
from accounts.sessions.cookies import get_session_cookie
from diary import days, messages
from diary.drafts.late_drafts import store_late_note_draft
from diary.entries.forms import parse_submitted_text
from diary.entries.text_validation import InvalidText
from diary.errors import LateDraftRefused, ObjectNotFound
from diary.models import Origin
from diary.notes import presenters, services
from diary.notes.claims.groups import list_note_groups
from diary.notes.claims.presenters import build_group_views
from diary.notes.claims.services import approve_skill, claim_note, unclaim_note
from diary.notes.drafts import (
    NoteDraftText,
    SubmittedNoteDraft,
    discard_note_draft,
    find_note_draft,
    list_drafted_notes,
    save_note_draft,
)
from diary.notes.errors import InvalidNotePath, NoteConflict, NoteError, NotePathTaken
from diary.notes.forms import NewNoteForm, parse_edit_draft, parse_name, parse_new_note, parse_passage
from diary.notes.kind_descriptions import KIND_DESCRIPTIONS, build_path, get_typed_name, is_single
from diary.notes.kinds import NoteKind, derive_kind, match_newlines
from diary.notes.queries import NoteText, find_note, list_note_versions, list_notes, read_note
from diary.notes.skills import build_skill

_METHODS = ["GET", "HEAD", "POST"]
_CONFLICT = 409
_LOCKED = 423


@require_safe
@unlock_required
def notes(request: HouseholdRequest) -> HttpResponse:
    """Show the notes by kind; a kind without notes shows its purpose."""
    keyring = request.vault.keyring
    lines = list_notes(keyring)
    draft = find_note_draft(keyring)
    sections = presenters.build_sections(
        lines,
        zone=request.user.time_zone,
        edited=list_drafted_notes(keyring.owner),
        begun=derive_kind(draft.path) if draft else None,
    )
    groups = build_group_views(list_note_groups(lines), zone=request.user.time_zone)
    return render(
        request, "diary/notes/index.html", {"sections": sections, "groups": groups, "in_notes": True}
    )


# --- A new note ---------------------------------------------------------------------------------------------


def _parse_kind(slug: str) -> NoteKind:
    try:
        return NoteKind(slug)
    except ValueError:
        raise ObjectNotFound from None


@require_http_methods(_METHODS)
@unlock_required
def add(request: HouseholdRequest, kind: str) -> HttpResponse:
    """Show the form of a new note of a kind with its draft, or save the note."""
    chosen = _parse_kind(kind)
    if request.method == "POST":
        return _create(request, parse_new_note(request, chosen))
    draft = find_note_draft(request.vault.keyring)
    begun = derive_kind(draft.path) if draft else None
    existing = find_note(request.vault.keyring, build_path(chosen, "")) if is_single(chosen) else None
    # A draft begun before there was such a note is shown, so that it is not lost behind the note.
    if existing is not None and begun is not chosen:
        return redirect("note", existing.id)
    if draft is not None and begun is not chosen:
        # There is one draft of a new note: it is shown, so that it is not lost behind another.
        page_messages.info(request, messages.ANOTHER_NOTE_BEGUN)
        return redirect("note_add", derive_kind(draft.path).value)
    return _render_new(request, chosen, draft, error="" if existing is None else messages.NOTE_PATH_TAKEN)


def _render_new(
    request: HouseholdRequest, kind: NoteKind, draft: NoteDraftText | None, *, error: str = ""
) -> HttpResponse:
    words = KIND_DESCRIPTIONS[kind]
    if draft is not None:
        return _render_new_form(
            request,
            kind,
            name=get_typed_name(draft.path),
            text=draft.text,
            draft_revision=draft.revision,
            saved_at=days.format_time(draft.updated_at, request.user.time_zone),
            error=messages.DAMAGED_DRAFT if draft.is_damaged else error,
        )
    if "example" in request.GET:
        return _render_new_form(request, kind, name=words.example_name, text=words.example)
    return _render_new_form(request, kind)


def _render_new_form(
    request: HouseholdRequest, kind: NoteKind, *, status: int = 200, **context: Any
) -> HttpResponse:
    shown = {"slug": kind.value, "words": KIND_DESCRIPTIONS[kind], "in_notes": True}
    return render(request, "diary/notes/new.html", shown | context, status=status)


def _create(request: HouseholdRequest, form: NewNoteForm) -> HttpResponse:
    try:
        if not form.text.strip():
            return _refuse_new(request, form, error=messages.EMPTY_TEXT)
        note = services.save_note(
            request.vault.keyring,
            form.get_path(),
            form.text,
            origin=Origin.OWN,
            draft_revision=form.sent.revision,
        )
    except (InvalidNotePath, NotePathTaken) as error:
        has_name = bool(KIND_DESCRIPTIONS[form.kind].name_label)
        return _refuse_new(request, form, **{"name_error" if has_name else "error": error.sentence})
    except NoteError as error:
        return _refuse_new(request, form, error=error.sentence)
    return redirect("note", note.id)


def _refuse_new(request: HouseholdRequest, form: NewNoteForm, **errors: str) -> HttpResponse:
    """Show the form again with all that was typed."""
    return _render_new_form(
        request,
        form.kind,
        name=form.name,
        text=form.sent.displayable_text,
        draft_revision=form.sent.revision,
        status=FORM_INVALID,
        **errors,
    )


@require_POST
@sign_in_required
def save_new_draft(request: HouseholdRequest, kind: str) -> HttpResponse:
    """Save the draft of a new note, even while the diary is locked.

    Respond 409 if another tab has saved another text.
    """
    return _save_draft(request, parse_new_note(request, _parse_kind(kind)).to_draft())


@require_POST
@unlock_required
def discard_new_draft(request: HouseholdRequest, kind: str) -> HttpResponse:
    """Discard the draft of a new note."""
    _parse_kind(kind)
    discard_note_draft(request.vault.keyring)
    return redirect("notes")


def _save_draft(request: HouseholdRequest, sent: SubmittedNoteDraft) -> HttpResponse:
    zone = request.user.time_zone
    if not request.vault.is_unlocked:
        return _store_late_draft(request, sent)
    try:
        saved = save_note_draft(request.vault.keyring, sent)
    except NoteConflict:
        other = find_note_draft(request.vault.keyring, sent.note_id)
        if other is None:
            raise ObjectNotFound from None
        saved_at = days.format_time(other.updated_at, zone)
        return JsonResponse(
            {"revision": other.revision, "text": other.text, "saved_at": saved_at}, status=_CONFLICT
        )
    except NoteError as error:
        return JsonResponse({"error": error.sentence}, status=FORM_INVALID)
    return JsonResponse({"revision": saved.revision, "saved_at": days.format_time(timezone.now(), zone)})


def _store_late_draft(request: HouseholdRequest, sent: SubmittedNoteDraft) -> HttpResponse:
    """Store a draft until the next unlock, and lock the page; 423 if it can't be sealed to its owner."""
    now, zone = timezone.now(), request.user.time_zone
    headers = {"HX-Trigger": LOCKED}
    try:
        revision = store_late_note_draft(
            sent,
            owner_id=request.user.id,
            day=days.today(zone, now=now),
            cookie=get_session_cookie(request),
        )
    except InvalidText as refused:
        return JsonResponse({"error": refused.sentence}, status=FORM_INVALID, headers=headers)
    except LateDraftRefused as refused:
        return JsonResponse({"error": refused.sentence}, status=_LOCKED, headers=headers)
    saved_at = days.format_time(now, zone)
    return JsonResponse({"revision": revision, "saved_at": saved_at}, headers=headers)


# --- One note ----------------------------------------------------------------------------------------------


@require_safe
@unlock_required
def note(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Show a note, with the passage that the URL names."""
    note = read_note(request.vault.keyring, note_id)
    passage = parse_passage(request)
    return _render_note(request, note, passage=passage.cut_from(note) if passage else "")


def _render_note(
    request: HouseholdRequest, note: NoteText, *, passage: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    name = "diary/notes/fragments/note.html" if request.htmx else "diary/notes/note.html"
    shown = _build_context(request, note, passage=passage) | context
    return render(request, name, shown, status=status)


def _build_context(request: HouseholdRequest, note: NoteText, *, passage: str = "") -> dict[str, Any]:
    keyring = request.vault.keyring
    is_skill = note.kind is NoteKind.SKILL
    view = presenters.build_note_view(
        note,
        zone=request.user.time_zone,
        has_draft=find_note_draft(keyring, note.id) is not None,
        passage=passage,
        scripts=build_skill(note, [line.path for line in list_notes(keyring)]).scripts if is_skill else (),
    )
    return {"note": view, "in_notes": True}


@require_http_methods(_METHODS)
@unlock_required
def edit(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Show the edit form of a note, or save the edit."""
    try:
        note = read_note(request.vault.keyring, note_id)
    except ObjectNotFound:
        if not get_typed_text(request):
            raise
        # Deleted in another tab: a bare 404 would lose what was typed here.
        return render_refusal(
            request, status=404, title=messages.NOT_SAVED_TITLE, sentence=messages.NOTE_GONE
        )
    if note.text is None:
        if not get_typed_text(request):
            return _render_note(request, note) if request.htmx else redirect("note", note_id)
        return render_refusal(
            request, status=FORM_INVALID, title=messages.NOT_SAVED_TITLE, sentence=messages.DAMAGED_NOTE
        )
    answer = _save if request.method == "POST" else _show_form
    return answer(request, note, note.text)


def _show_form(request: HouseholdRequest, note: NoteText, saved: str) -> HttpResponse:
    """Show the form with the draft of the edit, or both texts if another edit was saved meanwhile."""
    draft = find_note_draft(request.vault.keyring, note.id)
    if draft is None:
        return _render_form(request, note, text=saved, revision=note.revision)
    if draft.is_damaged:
        # With its revision, so that what is typed now replaces it.
        return _render_form(
            request,
            note,
            text=saved,
            revision=note.revision,
            draft_revision=draft.revision,
            error=messages.DAMAGED_DRAFT,
        )
    begun: dict[str, Any] = {
        "text": draft.text,
        "draft_revision": draft.revision,
        "saved_at": days.format_time(draft.updated_at, request.user.time_zone),
    }
    if draft.based_on not in (None, note.revision):
        return _render_conflict(request, note, status=200, **begun)
    return _render_form(request, note, revision=note.revision, **begun)


def _render_form(
    request: HouseholdRequest, note: NoteText, *, status: int = 200, **form: Any
) -> HttpResponse:
    name = "diary/notes/fragments/edit_form.html" if request.htmx else "diary/notes/edit.html"
    return render(request, name, _build_context(request, note) | form, status=status)


def _render_conflict(request: HouseholdRequest, note: NoteText, *, status: int, **form: Any) -> HttpResponse:
    """Show both texts; the next save is based on the revision of the saved text."""
    form |= {"is_conflict": True, "is_dirty": True, "theirs": note.text, "revision": note.revision}
    return _render_form(request, note, status=status, **form)


def _save(request: HouseholdRequest, note: NoteText, saved: str) -> HttpResponse:
    sent = parse_submitted_text(request)
    typed = f"{sent.text.rstrip()}\n\n{saved}" if "both" in request.POST else sent.text
    form = {"text": sent.displayable_text, "draft_revision": sent.draft_revision}
    try:
        changed = services.save_note(
            request.vault.keyring,
            note.path,
            match_newlines(typed, like=saved),
            note_id=note.id,
            based_on=sent.revision,
            origin=Origin.OWN,
            draft_revision=sent.draft_revision,
        )
    except NoteConflict:
        current = read_note(request.vault.keyring, note.id)
        return _render_conflict(request, current, status=_CONFLICT, **form)
    except NoteError as error:
        return _render_form(
            request, note, status=FORM_INVALID, revision=sent.revision, error=error.sentence, **form
        )
    return _render_note(request, changed) if request.htmx else redirect("note", note.id)


@require_POST
@sign_in_required
def save_draft(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Save the draft of an edit, even while the diary is locked.

    Respond 409 if another tab has saved another text.
    """
    saved = read_note(request.vault.keyring, note_id).text if request.vault.is_unlocked else None
    return _save_draft(request, parse_edit_draft(request, note_id, saved=saved))


@require_POST
@unlock_required
def discard_draft(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Discard the draft of an edit; the note itself does not change."""
    note = read_note(request.vault.keyring, note_id)
    discard_note_draft(request.vault.keyring, note_id)
    return _render_note(request, note) if request.htmx else redirect("note", note_id)


@require_http_methods(_METHODS)
@unlock_required
def rename(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Show the form for the path of a note, or change the path."""
    note = read_note(request.vault.keyring, note_id)
    if note.is_damaged:
        return redirect("note", note_id)
    if request.method != "POST":
        return _render_rename(request, note, path=note.path)
    path = parse_name(request, "path")
    try:
        services.rename_note(
            request.vault.keyring, note_id, path, based_on=parse_submitted_text(request).revision
        )
    except NoteConflict:
        current = read_note(request.vault.keyring, note_id)
        return _render_rename(request, current, path=path, error=messages.NOTE_CHANGED, status=_CONFLICT)
    except NoteError as error:
        return _render_rename(request, note, path=path, error=error.sentence, status=FORM_INVALID)
    return redirect("note", note_id)


def _render_rename(
    request: HouseholdRequest, note: NoteText, *, path: str, error: str = "", status: int = 200
) -> HttpResponse:
    context = _build_context(request, note) | {"path": path, "error": error}
    return render(request, "diary/notes/rename.html", context, status=status)


@require_safe
@unlock_required
def versions(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Show the earlier versions of a note: for htmx as a fragment, else on the page of the note."""
    keyring = request.vault.keyring
    note = read_note(keyring, note_id)
    views = presenters.build_note_version_views(
        list_note_versions(keyring, note_id), zone=request.user.time_zone
    )
    name = "diary/notes/fragments/versions.html" if request.htmx else "diary/notes/note.html"
    context = _build_context(request, note) | {"versions": views, "are_versions_shown": True}
    return render(request, name, context)


@require_POST
@unlock_required
def restore(request: HouseholdRequest, note_version_id: UUID) -> HttpResponse:
    """Restore an earlier text of a note; the present text becomes a version."""
    try:
        note = services.restore_version(request.vault.keyring, note_version_id)
    except NoteError as error:
        return render_refusal(
            request, status=_CONFLICT, title=messages.NOT_SAVED_TITLE, sentence=error.sentence
        )
    page_messages.success(request, messages.NOTE_RESTORED)
    return redirect("note", note.id)


@require_POST
@unlock_required
def approve(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Approve a skill at the revision that the page showed, so that replies may use it."""
    return _decide(request, note_id, approve_skill, sentence=messages.SKILL_APPROVED)


@require_POST
@unlock_required
def claim(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Mark a note as its owner's own at the revision that the page showed."""
    return _decide(request, note_id, claim_note, sentence=messages.NOTE_CLAIMED)


@require_POST
@unlock_required
def unclaim(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Undo the claim that a note is its owner's own."""
    try:
        unclaim_note(request.vault.keyring, note_id)
    except NoteError as error:
        note = read_note(request.vault.keyring, note_id)
        return _render_note(request, note, status=FORM_INVALID, refusal=error.sentence)
    page_messages.success(request, messages.NOTE_UNCLAIMED)
    return redirect("note", note_id)


def _decide(
    request: HouseholdRequest, note_id: UUID, act: Callable[..., NoteText], *, sentence: str
) -> HttpResponse:
    keyring = request.vault.keyring
    try:
        act(keyring, note_id, parse_submitted_text(request).revision)
    except NoteConflict:
        return _render_note(
            request, read_note(keyring, note_id), status=_CONFLICT, refusal=messages.NOTE_CHANGED
        )
    except NoteError as error:
        note = read_note(keyring, note_id)
        return _render_note(request, note, status=FORM_INVALID, refusal=error.sentence)
    page_messages.success(request, sentence)
    return redirect("note", note_id)


@require_POST
@unlock_required
def delete(request: HouseholdRequest, note_id: UUID) -> HttpResponse:
    """Delete a note with its versions, unless it was changed after the page showed it."""
    keyring = request.vault.keyring
    try:
        services.delete_note(keyring, note_id, based_on=parse_submitted_text(request).revision)
    except NoteConflict:
        return _render_note(
            request, read_note(keyring, note_id), status=_CONFLICT, refusal=messages.NOTE_CHANGED
        )
    page_messages.success(request, messages.NOTE_DELETED)
    return redirect("notes")
