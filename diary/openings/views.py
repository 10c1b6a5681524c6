"""The opening of a day: asked for when its page is first opened, dismissed, made again, switched off."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import days
from diary.made import Opening
from diary.openings import presenting, services
from diary.was_read import context_of
from llamora.database import NotWritten
from llamora.inference import endpoint

NOTHING = 204
NOT_NOW = "No other opening can be made now. {}"
NOT_WRITTEN = "Nothing can be written to the disk just now. Your diary is as it was."


def _shown(request: HouseholdRequest, day: date) -> HttpResponse:
    if not request.htmx:
        return redirect("day", day)
    job = services.job_of(request.user.id, day)
    view = presenting.view_now(job) if job else None
    return HttpResponse(presenting.section(view, owner_id=request.user.id))


def _refused(request: HouseholdRequest, sentence: str) -> HttpResponse:
    context = {"title": "Not changed", "sentence": sentence, "next": request.path}
    return render(request, "refused.html", context, status=503)


@unlocked
def opening(request: HouseholdRequest, day: date) -> HttpResponse:
    """Have today opened, or any opened day opened again; nothing where that cannot be now."""
    if request.method != "POST":
        return redirect("day", day)
    again = bool(request.POST.get("again"))
    is_today = day == days.today(request.user.time_zone, now=timezone.now())
    if not again and not (is_today and services.are_wanted(request.user.id)):
        return HttpResponse(status=NOTHING)
    job = services.opened(request.user, day, keyring=request.vault.keyring, again=again)
    if job is None and again:
        return _refused(request, NOT_NOW.format(endpoint.describe()))
    if job is None and request.htmx:
        # The wish for one, or the one that is there, stays in the page.
        return HttpResponse(status=NOTHING)
    return _shown(request, day)


@unlocked
def dismiss(request: HouseholdRequest, day: date) -> HttpResponse:
    """Let go of a day's opening."""
    if request.method == "POST":
        try:
            services.dismiss(request.user.id, day)
        except NotWritten:
            return _refused(request, NOT_WRITTEN)
    return HttpResponse() if request.htmx else redirect("day", day)


@unlocked
def read(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show what was read for a day's opening."""
    row = get_object_or_404(Opening, owner_id=request.user.id, day=day)
    name = "diary/fragments/read.html" if request.htmx else "diary/read.html"
    return render(request, name, context_of(request.user, row, day=day))


@unlocked
def openings(request: HouseholdRequest) -> HttpResponse:
    """Show whether days are opened, or switch that on or off."""
    if request.method == "POST":
        try:
            services.want(request.user.id, wanted=request.POST.get("openings") == "on")
        except NotWritten:
            return _refused(request, NOT_WRITTEN)
        return redirect("openings")
    return render(request, "diary/openings.html", {"are_wanted": services.are_wanted(request.user.id)})
