"""The page of one trace, or of several together, with further entries and the summary."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from traces.access import get_requested_change, get_trace
from traces.detail.entries import load_page
from traces.detail.presenters import TraceDetail, build_detail, get_traces_url
from traces.facts.pages.list_presenters import count_about
from traces.queries import load_names
from traces.summaries import services as summaries_services
from traces.summaries.presenters import build_summary_view


@require_safe
@unlock_required
def trace(
    request: HouseholdRequest, trace_id: UUID, others: tuple[UUID, ...] = (), year: int | None = None
) -> HttpResponse:
    """Show one or more traces. If a script sends `after`, show only the next page of their entries."""
    ids = (trace_id, *others)
    if request.htmx and "after" in request.GET:
        return _render_next_page(request, ids)
    return render_trace_page(request, build_detail(request.user, ids, year=year))


def render_trace_page(
    request: HouseholdRequest, detail: TraceDetail, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """Render the page of one or more traces. Further keyword arguments become template variables.

    They say why a change was refused.
    """
    context = {
        "detail": detail,
        "page": load_page(
            request.user.id,
            detail.ids,
            names=detail.names,
            zone=request.user.time_zone,
            after=_get_after(request),
        ),
        "is_later_page": "after" in request.GET,
        "change": get_requested_change(request),
        "in_traces": True,
    }
    if not detail.is_narrowed:
        trace = get_trace(request.user.id, detail.id)
        context |= {
            "trace": trace,
            "summary": build_summary_view(trace),
            "fact_count": count_about(request.user.id, trace.id, detail.name),
        }
    return render(request, "traces/trace.html", context | extra, status=status)


def _render_next_page(request: HouseholdRequest, ids: tuple[UUID, ...]) -> HttpResponse:
    for trace_id in ids:
        get_trace(request.user.id, trace_id)
    after, names = _get_after(request), load_names(request.user.id)
    page = load_page(request.user.id, ids, names=names, zone=request.user.time_zone, after=after)
    context = {"page": page, "address": get_traces_url(ids), "before": after}
    return render(request, "traces/fragments/next_entries.html", context)


def _get_after(request: HouseholdRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def summary(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Ask the model for a summary of a trace, or show the state of the summary."""
    trace = get_trace(request.user.id, trace_id)
    if request.method == "POST":
        summaries_services.request_summary(request.user, trace, keyring=request.vault.keyring)
    if not request.htmx:
        return redirect(f"{reverse('trace', args=[trace.id])}#summary")
    context = {"trace": trace, "summary": build_summary_view(trace)}
    return render(request, "traces/fragments/summary.html", context)
