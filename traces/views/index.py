"""All traces: filtered while typing, sorted. What is typed travels by POST: never in an address or a log."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from traces.listing import SORTS, USUAL, chosen, every_row
from traces.names import MAX_NAME
from traces.undoing import change_in


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def index(request: HouseholdRequest) -> HttpResponse:
    """Show all traces, or those whose name holds what was typed."""
    typed = request.POST.get("typed", "")[: 2 * MAX_NAME]
    # A sort is a button of the filter's form where something was typed, else a link.
    said = request.POST.get("sort") or request.GET.get("sort", "")
    rows = every_row(request.user.id)
    context: dict[str, Any] = {
        "rows": chosen(rows, typed=typed, sort=said),
        "total": len(rows),
        "typed": typed,
        "sorts": SORTS.values(),
        "sort": said if said in SORTS else USUAL,
        "change": change_in(request),
        "in_traces": True,
    }
    by_script = request.htmx and request.htmx.target == "trace-rows"
    name = "traces/fragments/rows.html" if by_script else "traces/index.html"
    return render(request, name, context)
