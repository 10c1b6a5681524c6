"""Views of the traces on an entry: add, remove, suggest, dismiss, complete and preview.

Names are sent only by POST, so that they are in no URL and no log.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.error_responses import render_refusal
from accounts.http.request import HouseholdRequest
from diary.entries.queries import get_entry
from diary.models import Entry
from traces.access import get_trace
from traces.messages import NOT_SAVED_TITLE, get_refusal_message
from traces.names import MAX_NAME_LENGTH, InvalidTraceName
from traces.proposals import queries as proposals_queries
from traces.proposals import services as proposals_services
from traces.proposals.services import dismiss_proposal
from traces.tagging import presenters
from traces.tagging import services as tagging_services
from traces.tagging.presenters import build_preview


def _get_day_url(entry: Entry) -> str:
    return f"{reverse('day', args=[entry.day])}#entry-{entry.id}"


def _render_traces(request: HouseholdRequest, entry: Entry, **changes: Any) -> HttpResponse:
    """Return the traces of an entry as a fragment to script, or redirect a plain form to its day."""
    if not request.htmx:
        return redirect(_get_day_url(entry))
    view = replace(presenters.build_traces_on_entries([entry])[entry.id], **changes)
    traces = render_to_string(presenters.TRACES_TEMPLATE, {"part": view}, request)
    return HttpResponse(traces, status=422 if changes.get("error") else 200)


def _render_refusal(request: HouseholdRequest, entry: Entry, *, sentence: str, typed: str) -> HttpResponse:
    if request.htmx:
        return _render_traces(request, entry, error=sentence, typed=typed[: 2 * MAX_NAME_LENGTH])
    return render_refusal(
        request, status=422, title=NOT_SAVED_TITLE, sentence=sentence, following=_get_day_url(entry)
    )


def _get_name(request: HouseholdRequest) -> str:
    """Return the posted name, picked or typed."""
    return request.POST.get("pick", "") or request.POST.get("name", "")


def _apply_change(request: HouseholdRequest, entry_id: UUID, change: Callable[[str], object]) -> HttpResponse:
    entry, name = get_entry(request.user.id, entry_id), _get_name(request)
    try:
        change(name)
    except InvalidTraceName as error:
        return _render_refusal(request, entry, sentence=get_refusal_message(error.code), typed=name)
    return _render_traces(request, entry, is_adding="name" in request.POST)


@require_safe
@unlock_required
def entry_traces(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the traces of an entry."""
    return _render_traces(request, get_entry(request.user.id, entry_id))


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def add(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the form that adds a trace to an entry, or add the trace."""
    if request.method != "POST":
        part = presenters.TracesOnEntry(entry_id=get_entry(request.user.id, entry_id).id)
        template = "traces/fragments/add_form.html" if request.htmx else "traces/add.html"
        return render(request, template, {"part": part})
    return _apply_change(
        request,
        entry_id,
        lambda name: tagging_services.add_trace(owner_id=request.user.id, entry_id=entry_id, name=name),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def dismiss(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Dismiss a suggested name for an entry."""
    if request.method != "POST":
        return redirect(_get_day_url(get_entry(request.user.id, entry_id)))
    return _apply_change(
        request,
        entry_id,
        lambda name: dismiss_proposal(owner_id=request.user.id, entry_id=entry_id, name=name),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def remove(request: HouseholdRequest, entry_id: UUID, trace_id: UUID) -> HttpResponse:
    """Remove a trace from an entry."""
    if request.method != "POST":
        return redirect(_get_day_url(get_entry(request.user.id, entry_id)))
    return _apply_change(
        request,
        entry_id,
        lambda _: tagging_services.remove_trace(
            owner_id=request.user.id, entry_id=entry_id, trace_id=trace_id
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def propose(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Ask the model to suggest traces: on a click, or by script after a reply."""
    entry = get_entry(request.user.id, entry_id)
    if request.method == "POST":
        is_requested = "unasked" not in request.POST
        proposals_services.propose_traces(
            person=request.user, entry_id=entry_id, keyring=request.vault.keyring, is_requested=is_requested
        )
    if not request.htmx:
        return redirect(_get_day_url(entry))
    view = presenters.build_traces_on_entries([entry])[entry.id]
    return render(request, "traces/fragments/proposals.html", {"part": view})


@require_POST
@unlock_required
def complete(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Return the names that begin with the typed text."""
    entry = get_entry(request.user.id, entry_id)
    names = proposals_queries.complete_name(request.user.id, request.POST.get("name", "")[:MAX_NAME_LENGTH])
    existing = {chip.name for chip in presenters.build_chips([entry])[entry.id]}
    context = {"names": [name for name in names if name not in existing], "entry_id": entry_id}
    return render(request, "traces/fragments/completions.html", context)


@require_safe
@unlock_required
def preview(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Show the latest entries of a trace in a small card; without htmx, redirect to the page of the trace."""
    trace = get_trace(request.user.id, trace_id)
    if not request.htmx:
        return redirect("trace", trace.id)
    return render(request, "traces/fragments/preview.html", {"preview": build_preview(trace)})
