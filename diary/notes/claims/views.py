"""Views of "This is mine" for groups of notes: one import, or the notes of programs."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages as page_messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary import messages
from diary.errors import ImportChanged
from diary.notes.claims.groups import compute_note_review, get_note_group
from diary.notes.claims.presenters import build_group_view, build_reviewed_notes
from diary.notes.claims.services import claim_note_group, unclaim_note_group
from diary.notes.queries import read_notes

_PAGE_SIZE: Final = 50
_TEMPLATE: Final = "diary/notes/group.html"


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def claim_group(request: HouseholdRequest, note_group_id: UUID) -> HttpResponse:
    """Show the notes of a group; once the password was confirmed, mark them as the person's own."""
    keyring = request.vault.keyring
    group = get_note_group(keyring, note_group_id)
    ids = [line.id for line in sorted(group.lines, key=lambda line: line.is_used)]
    page = Paginator(ids, _PAGE_SIZE).get_page(request.GET.get("page"))
    notes = {note.id: note for note in read_notes(keyring, list(page))}
    context: dict[str, Any] = {
        "group": build_group_view(group, zone=request.user.time_zone),
        "review": compute_note_review(keyring, group),
        "page": page,
        "notes": build_reviewed_notes([notes[id_] for id_ in page if id_ in notes]),
        "in_notes": True,
        "in_settings": False,
    }
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def claim(confirmed: Reauthentication) -> HttpResponse:
        try:
            with reauthenticate(confirmed):
                count = claim_note_group(keyring, note_group_id, review=request.POST.get("review", ""))
        except ImportChanged as changed:
            form.add_error(None, changed.sentence)
            return render(request, _TEMPLATE, {"form": form, **context}, status=409)
        page_messages.success(request, messages.get_notes_claimed_message(count))
        return redirect("note_group", note_group_id)

    return with_reauthentication(request, form, template=_TEMPLATE, act=claim, context=context)


@require_POST
@unlock_required
def unclaim_group(request: HouseholdRequest, note_group_id: UUID) -> HttpResponse:
    """Undo the claim of a group of notes."""
    unclaim_note_group(request.vault.keyring, note_group_id)
    page_messages.success(request, messages.NOTES_UNCLAIMED)
    return redirect("note_group", note_group_id)
