"""The bin: what was deleted in the last thirty days, to be restored or destroyed."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import earlier
from diary.models import Entry
from diary.services.entries import destroy_entry, empty_bin

ON_A_PAGE = 50


@require_safe
@unlocked
def page(request: HouseholdRequest) -> HttpResponse:
    """Show what is in the bin, the last deleted first."""
    deleted = Entry.objects.in_bin(request.user.id).order_by("-deleted_at", "id")
    leaf = Paginator(deleted, ON_A_PAGE).get_page(request.GET.get("page"))
    entries = earlier.deleted_views(list(leaf), zone=request.user.time_zone)
    return render(request, "diary/bin.html", {"entries": entries, "leaf": leaf})


@require_POST
@unlocked
def destroy(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Delete an entry of the bin for good."""
    destroy_entry(owner_id=request.user.id, entry_id=entry_id)
    return redirect("bin")


@require_POST
@unlocked
def empty(request: HouseholdRequest) -> HttpResponse:
    """Delete all of the bin for good."""
    empty_bin(owner_id=request.user.id)
    return redirect("bin")
