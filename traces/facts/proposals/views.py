"""Views that start and stop the search for facts in an entry or in the whole diary, and show its progress."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary.entries.queries import get_entry
from traces.facts.pages.presenters import ON_ENTRY_TEMPLATE, build_search_result
from traces.facts.proposals import diary_walk, presenters, services

# Until the entry that is being read is let go of.
STOP_SECONDS = 2.0


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def find_facts(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Start a search for facts in an entry, or show its state."""
    entry = get_entry(request.user.id, entry_id)
    if request.method == "POST":
        job = services.find_facts(person=request.user, entry_id=entry_id, keyring=request.vault.keyring)
    else:
        job = services.get_fact_job(entry_id)
    if not request.htmx:
        return redirect(f"{reverse('day', args=[entry.day])}#entry-{entry.id}")
    return render(request, ON_ENTRY_TEMPLATE, {"part": build_search_result(entry, job)})


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def start_diary_walk(request: HouseholdRequest) -> HttpResponse:
    """Start a search for facts in the whole diary."""
    if request.method == "POST" and services.can_find_facts():
        diary_walk.start_walk(request.vault.keyring)
    return _respond_with_walk(request)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def stop_diary_walk(request: HouseholdRequest) -> HttpResponse:
    """Stop the search for facts in the whole diary."""
    if request.method == "POST":
        diary_walk.stop_walk(request.user.id, timeout=STOP_SECONDS)
    return _respond_with_walk(request)


@require_safe
@unlock_required
def show_diary_walk(request: HouseholdRequest) -> HttpResponse:
    """Show how many entries have been searched for facts."""
    template = presenters.WALK_TEMPLATE if request.htmx else "traces/facts/diary_walk.html"
    context = {"walk": presenters.build_walk_view(request.user.id), "in_facts": True}
    return render(request, template, context)


def _respond_with_walk(request: HouseholdRequest) -> HttpResponse:
    if not request.htmx:
        return redirect("diary_walk")
    context = {"walk": presenters.build_walk_view(request.user.id)}
    return render(request, presenters.WALK_TEMPLATE, context)
