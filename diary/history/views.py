"""Views of the history of an entry and of the bin: restoring versions, and deleting entries for good."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary.entries.queries import get_entry
from diary.entries.services import destroy_entry, empty_bin
from diary.entries.views import build_entry_context, get_entry_url
from diary.history import presenters
from diary.history.services import restore_version
from diary.models import Entry

PAGE_SIZE = 50


@require_safe
@unlock_required
def bin_page(request: HouseholdRequest) -> HttpResponse:
    """Show the entries in the bin, the latest deleted first."""
    deleted = Entry.objects.in_bin(request.user.id).order_by("-deleted_at", "id")
    page = Paginator(deleted, PAGE_SIZE).get_page(request.GET.get("page"))
    entries = presenters.build_deleted_entry_views(list(page), zone=request.user.time_zone)
    return render(request, "diary/bin.html", {"entries": entries, "page": page})


@require_POST
@unlock_required
def destroy_deleted(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Delete an entry in the bin for good."""
    destroy_entry(owner_id=request.user.id, entry_id=entry_id)
    return redirect("bin")


@require_POST
@unlock_required
def empty_all(request: HouseholdRequest) -> HttpResponse:
    """Delete all entries in the bin for good."""
    empty_bin(owner_id=request.user.id)
    return redirect("bin")


@require_safe
@unlock_required
def versions(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the earlier versions of an entry, below the entry or on a separate page."""
    entry = get_entry(request.user.id, entry_id)
    name = "diary/fragments/versions.html" if request.htmx else "diary/versions.html"
    views = presenters.build_version_views(entry, zone=request.user.time_zone)
    return render(request, name, build_entry_context(request, entry) | {"versions": views})


@require_POST
@unlock_required
def restore_earlier_version(request: HouseholdRequest, version_id: UUID) -> HttpResponse:
    """Restore an earlier version; the current text becomes a version."""
    entry = restore_version(owner_id=request.user.id, version_id=version_id)
    if not request.htmx:
        return redirect(get_entry_url(entry))
    return render(request, "diary/fragments/entry.html", build_entry_context(request, entry))
