"""Traces on an entry: kept, removed, dismissed, proposed, completed. Names travel by POST alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.answers import refused
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary.access import entry_of
from diary.models import Entry
from traces import presenting, proposals
from traces.access import trace_of
from traces.glancing import glance_of
from traces.models import Choices
from traces.names import MAX_NAME, NameRefused
from traces.services import keeping, proposing


def _day(entry: Entry) -> str:
    return f"{reverse('day', args=[entry.day])}#entry-{entry.id}"


def _shown(request: HouseholdRequest, entry: Entry, **said: Any) -> HttpResponse:
    """Answer script with the traces of an entry, and a plain form with its day."""
    if not request.htmx:
        return redirect(_day(entry))
    shown = replace(presenting.on_entries([entry])[entry.id], **said)
    traces = render_to_string(presenting.TEMPLATE, {"part": shown}, request)
    # What may be read along for an answer is said in another place of the entry.
    menu = render_to_string(presenting.MENU, {"part": shown, "is_oob": True}, request)
    return HttpResponse(traces + menu, status=422 if said.get("error") else 200)


def _refused(request: HouseholdRequest, entry: Entry, *, sentence: str, typed: str) -> HttpResponse:
    if request.htmx:
        return _shown(request, entry, error=sentence, typed=typed[: 2 * MAX_NAME])
    return refused(request, status=422, title="Not kept", sentence=sentence, following=_day(entry))


def _said(request: HouseholdRequest) -> str:
    """Return the name that was picked or typed."""
    return request.POST.get("pick", "") or request.POST.get("name", "")


def _changed(request: HouseholdRequest, entry_id: UUID, change: Callable[[str], object]) -> HttpResponse:
    entry, name = entry_of(request.user.id, entry_id), _said(request)
    try:
        change(name)
    except NameRefused as error:
        return _refused(request, entry, sentence=error.sentence, typed=name)
    return _shown(request, entry, is_adding="name" in request.POST)


@require_safe
@unlocked
def traces(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the traces of an entry."""
    return _shown(request, entry_of(request.user.id, entry_id))


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def keep(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Keep a trace on an entry."""
    if request.method != "POST":
        return redirect(_day(entry_of(request.user.id, entry_id)))
    return _changed(
        request,
        entry_id,
        lambda name: keeping.keep(owner_id=request.user.id, entry_id=entry_id, name=name),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def dismiss(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Have a name proposed no more for an entry."""
    if request.method != "POST":
        return redirect(_day(entry_of(request.user.id, entry_id)))
    return _changed(
        request,
        entry_id,
        lambda name: proposals.dismiss(owner_id=request.user.id, entry_id=entry_id, name=name),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def remove(request: HouseholdRequest, entry_id: UUID, trace_id: UUID) -> HttpResponse:
    """Take a trace away from an entry."""
    if request.method != "POST":
        return redirect(_day(entry_of(request.user.id, entry_id)))
    return _changed(
        request,
        entry_id,
        lambda _: keeping.remove(owner_id=request.user.id, entry_id=entry_id, trace_id=trace_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def propose(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Have the model propose traces: asked for, or after a reply by the page itself."""
    entry = entry_of(request.user.id, entry_id)
    if request.method == "POST":
        is_asked = "unasked" not in request.POST
        proposing.propose(
            person=request.user, entry_id=entry_id, keyring=request.vault.keyring, is_asked=is_asked
        )
    if not request.htmx:
        return redirect(_day(entry))
    shown = presenting.on_entries([entry])[entry.id]
    return render(request, "traces/fragments/proposed.html", {"part": shown})


@require_POST
@unlocked
def complete(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Offer names that begin as typed."""
    entry = entry_of(request.user.id, entry_id)
    names = proposals.completed(request.user.id, request.POST.get("name", "")[:MAX_NAME])
    kept = {chip.name for chip in presenting.chips_of([entry])[entry.id]}
    context = {"names": [name for name in names if name not in kept], "entry_id": entry_id}
    return render(request, "traces/fragments/completed.html", context)


@require_safe
@unlocked
def glance(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Show what there is to a trace in short."""
    trace = trace_of(request.user.id, trace_id)
    if not request.htmx:
        return redirect("trace", trace.id)
    return render(request, "traces/fragments/glance.html", {"glance": glance_of(trace)})


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def choices(request: HouseholdRequest) -> HttpResponse:
    """Ask whether the model is to propose traces by itself, or note the answer."""
    if request.method == "POST":
        proposals.want(request.user.id, wanted=request.POST.get("want") == "on")
        return redirect("trace_choices")
    wanted = not Choices.objects.filter(owner_id=request.user.id, makes_proposals=False).exists()
    return render(request, "traces/choices.html", {"wanted": wanted, "in_settings": True})
