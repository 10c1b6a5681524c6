"""Views of "This is mine": for one entry, and for a whole import, with the list of imports."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.error_responses import render_refusal
from accounts.http.request import HouseholdRequest
from diary import messages
from diary.entries.views import respond_with_entry
from diary.errors import ImportChanged
from diary.origins import claim_threads, presenters, services
from diary.origins.imports import compute_review, get_import
from llamora.crypto import EnvelopeError

PAGE_SIZE = 50


@require_POST
@unlock_required
def claim(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Mark an entry as the person's own."""
    try:
        entry = services.claim_entry(owner_id=request.user.id, entry_id=entry_id)
    except EnvelopeError:
        return _refuse_damaged(request)
    return respond_with_entry(request, entry)


@require_POST
@unlock_required
def unclaim(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Undo the claim of an entry."""
    try:
        entry = services.unclaim_entry(owner_id=request.user.id, entry_id=entry_id)
    except EnvelopeError:
        return _refuse_damaged(request)
    return respond_with_entry(request, entry)


def _refuse_damaged(request: HouseholdRequest) -> HttpResponse:
    return render_refusal(
        request, status=422, title=messages.ENTRY_DAMAGED_TITLE, sentence=messages.DAMAGED_ENTRY
    )


@require_safe
@unlock_required
def imports(request: HouseholdRequest) -> HttpResponse:
    """Show the imports of a person."""
    claimed = services.list_claimed_imports(request.user.id)
    runs = presenters.list_import_views(request.user.id, zone=request.user.time_zone, claimed=claimed)
    return render(request, "diary/imports.html", {"imports": runs, "in_settings": True})


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def claim_import(request: HouseholdRequest, import_id: UUID) -> HttpResponse:
    """Show the entries of an import; once the password was confirmed, mark them as the person's own."""
    person = request.user
    run = get_import(person.id, import_id)
    is_claimed = import_id in services.list_claimed_imports(person.id)
    page = Paginator(run.entry_ids, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "run": presenters.build_import_view(run, zone=person.time_zone, is_claimed=is_claimed),
        "review": compute_review(person.id, run),
        "page": page,
        "entries": presenters.build_imported_entry_views(list(page)),
    }
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def claim_all(confirmed: Reauthentication) -> HttpResponse:
        try:
            with reauthenticate(confirmed):
                count = services.claim_import(
                    owner_id=person.id, import_id=import_id, review=request.POST.get("review", "")
                )
        except ImportChanged as changed:
            form.add_error(None, changed.sentence)
            return render(
                request, "diary/import.html", {"form": form, "in_settings": True, **context}, status=409
            )
        if count is None:
            claim_threads.start_claim_thread(request.vault.keyring)
        return redirect("imports")

    return with_reauthentication(request, form, template="diary/import.html", act=claim_all, context=context)


@require_POST
@unlock_required
def unclaim_import(request: HouseholdRequest, import_id: UUID) -> HttpResponse:
    """Undo the claim of a whole import."""
    services.unclaim_import(owner_id=request.user.id, import_id=import_id)
    return redirect("imports")
