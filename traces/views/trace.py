"""One trace, or several at once: all that is to be seen, year by year and leaf by leaf."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from traces.access import trace_of
from traces.detail import Detail, address, detail_of
from traces.history import leaf
from traces.listing import names
from traces.summaries import services
from traces.summaries.presenting import summary_view
from traces.undoing import change_in


@require_safe
@unlocked
def trace(
    request: HouseholdRequest, trace_id: UUID, others: tuple[UUID, ...] = (), year: int | None = None
) -> HttpResponse:
    """Show a trace, or where it is together with others; a further leaf of its history to script."""
    ids = (trace_id, *others)
    if request.htmx and "after" in request.GET:
        return _further(request, ids)
    return page(request, detail_of(request.user, ids, year=year))


def page(request: HouseholdRequest, detail: Detail, *, status: int = 200, **said: Any) -> HttpResponse:
    """Show all of a trace, with what was said of a change that was refused."""
    context = {
        "detail": detail,
        "leaf": leaf(
            request.user.id,
            detail.ids,
            called=detail.called,
            zone=request.user.time_zone,
            after=_after(request),
        ),
        "is_later_leaf": "after" in request.GET,
        "change": change_in(request),
        "in_traces": True,
    }
    if not detail.is_narrowed:
        trace = trace_of(request.user.id, detail.id)
        context |= {"trace": trace, "summary": summary_view(trace)}
    return render(request, "traces/trace.html", context | said, status=status)


def _further(request: HouseholdRequest, ids: tuple[UUID, ...]) -> HttpResponse:
    for trace_id in ids:
        trace_of(request.user.id, trace_id)
    after, called = _after(request), names(request.user.id)
    past = leaf(request.user.id, ids, called=called, zone=request.user.time_zone, after=after)
    context = {"leaf": past, "address": address(ids), "before": after}
    return render(request, "traces/fragments/further.html", context)


def _after(request: HouseholdRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def summary(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Have a trace summed up, or show how far that has come."""
    trace = trace_of(request.user.id, trace_id)
    if request.method == "POST":
        services.asked(request.user, trace, keyring=request.vault.keyring)
    if not request.htmx:
        return redirect(f"{reverse('trace', args=[trace.id])}#summary")
    context = {"trace": trace, "summary": summary_view(trace)}
    return render(request, "traces/fragments/summary.html", context)
