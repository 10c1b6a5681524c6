"""The keyboard map: a page, and the same as a sheet over any other."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest


@require_safe
@unlocked
def keys(request: HouseholdRequest) -> HttpResponse:
    """Show which keys do what."""
    return render(request, "diary/fragments/keys.html" if request.htmx else "diary/keys.html")
