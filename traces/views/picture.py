"""What occurs together, drawn, with a table of all beside it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from traces.picturing import overview


@require_safe
@unlocked
def picture(request: HouseholdRequest) -> HttpResponse:
    """Show the picture and its table."""
    return render(request, "traces/picture.html", {"overview": overview(request.user.id), "in_traces": True})
