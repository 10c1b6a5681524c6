"""What an entry said before, and having it say that again."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import access, earlier
from diary.services.versions import restore_version
from diary.views.entries import address_of, entry_context


@require_safe
@unlocked
def versions(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the earlier versions of an entry, under it or on a page of their own."""
    entry = access.entry_of(request.user.id, entry_id)
    name = "diary/fragments/versions.html" if request.htmx else "diary/versions.html"
    views = earlier.version_views(entry, zone=request.user.time_zone, now=timezone.now())
    return render(request, name, entry_context(request, entry) | {"versions": views})


@require_POST
@unlocked
def restore(request: HouseholdRequest, version_id: UUID) -> HttpResponse:
    """Put an earlier version back in its entry; what stood there becomes one itself."""
    entry = restore_version(owner_id=request.user.id, version_id=version_id)
    if not request.htmx:
        return redirect(address_of(entry))
    return render(request, "diary/fragments/entry.html", entry_context(request, entry))
