"""Views that generate, replace or dismiss the opening of a day, or show its sources.

An opening is a text that the language model writes at the top of a day's page.
"""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary import days, messages
from diary.generation.page_tasks import build_from_job, get_page_task
from diary.generation.presenters import build_prompt_record_context
from diary.models import Opening
from diary.openings import services
from llamora.inference import model_server
from llamora.inference.messages import get_message_for

NO_CONTENT = 204


def _respond_with_section(request: HouseholdRequest, day: date) -> HttpResponse:
    if not request.htmx:
        return redirect("day", day)
    job = services.get_opening_job(day)
    task = get_page_task(job) if job else None
    return HttpResponse(build_from_job(job, task.render_section).html if job and task else "")


def _refuse(request: HouseholdRequest, sentence: str) -> HttpResponse:
    context = {"title": messages.NOT_CHANGED_TITLE, "sentence": sentence, "next": request.path}
    return render(request, "refused.html", context, status=503)


@unlock_required
def opening(request: HouseholdRequest, day: date) -> HttpResponse:
    """Start generating the opening of today, or a replacement for the existing opening of any day.

    The opening is replaced if the HTML form field `again` is sent. Only a POST does this; any other request
    is redirected to the page of the day.
    """
    if request.method != "POST":
        return redirect("day", day)
    is_replacement = bool(request.POST.get("again"))
    is_today = day == days.today(request.user.time_zone, now=timezone.now())
    if not is_replacement and not (is_today and request.user.makes_openings):
        return HttpResponse(status=NO_CONTENT)
    job = services.start_opening(
        request.user, day, keyring=request.vault.keyring, is_replacement=is_replacement
    )
    if job is None and is_replacement:
        code = model_server.get_status().code
        reason = get_message_for(code, is_administrator=request.user.is_staff)
        return _refuse(request, messages.NO_OPENING_NOW.format(reason))
    if job is None and request.htmx:
        # The page leaves the opening as it is.
        return HttpResponse(status=NO_CONTENT)
    return _respond_with_section(request, day)


@unlock_required
def dismiss(request: HouseholdRequest, day: date) -> HttpResponse:
    """Dismiss the opening of a day, so that the page no longer shows it."""
    if request.method == "POST":
        services.dismiss(request.user.id, day)
    return HttpResponse() if request.htmx else redirect("day", day)


@unlock_required
def prompt_record(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show the prompt record of an opening: the list of the sources that the model read."""
    row = get_object_or_404(Opening, owner_id=request.user.id, day=day)
    name = "diary/fragments/prompt_record.html" if request.htmx else "diary/prompt_record.html"
    return render(request, name, build_prompt_record_context(request.user, row, day=day))
