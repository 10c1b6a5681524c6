"""The list of all traces, filtered while typing, and the graph of traces that share entries.

The typed text is sent by POST, so that it is in no URL and no log.
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from traces.access import get_requested_change
from traces.graph.presenters import build_overview
from traces.index.presenters import DEFAULT_SORT, SORTS, filter_rows, list_rows
from traces.names import MAX_NAME_LENGTH


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def index(request: HouseholdRequest) -> HttpResponse:
    """Show all traces, or those whose name contains the typed text."""
    typed = request.POST.get("typed", "")[: 2 * MAX_NAME_LENGTH]
    # The sort order is a button of the form if something was typed, else a link.
    sort = request.POST.get("sort") or request.GET.get("sort", "")
    rows = list_rows(request.user.id)
    context: dict[str, Any] = {
        "rows": filter_rows(rows, typed=typed, sort=sort),
        "total": len(rows),
        "typed": typed,
        "sorts": SORTS.values(),
        "sort": sort if sort in SORTS else DEFAULT_SORT,
        "change": get_requested_change(request),
        "in_traces": True,
    }
    is_filtering = request.htmx and request.htmx.target == "trace-rows"
    name = "traces/fragments/rows.html" if is_filtering else "traces/index.html"
    return render(request, name, context)


@require_safe
@unlock_required
def graph(request: HouseholdRequest) -> HttpResponse:
    """Show the graph and its table."""
    return render(
        request, "traces/graph.html", {"overview": build_overview(request.user.id), "in_traces": True}
    )
