"""The recap of a past day: shown while the pointer rests on the day in the calendar, or on request.

The request is a POST, since it may start a generation. Without a recap, only an explicit request gets a
response with the reason.
"""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.models import Person
from diary import days, messages
from diary.generation.job_status import describe_job
from diary.recaps import services
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.messages import describe_author, get_message_for

NO_CONTENT = 204


@unlock_required
def recap(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show the recap of a day.

    While the recap is generated, respond with a fragment that polls. If there is none to show, the response
    is empty.
    """
    if request.method != "POST":
        return redirect("day", day)
    if day >= days.today(request.user.time_zone, now=timezone.now()):
        return HttpResponse(status=NO_CONTENT)
    is_requested = bool(request.POST.get("asked"))
    retry_failed = is_requested and "X-Llamora-Poll" not in request.headers
    result = services.get_or_start_recap(
        request.user, day, keyring=request.vault.keyring, is_requested=is_requested, retry_failed=retry_failed
    )
    saved = result if isinstance(result, services.SavedRecap) else None
    is_coming = isinstance(result, Job) and not result.is_over
    context = {
        "day": day,
        "text": saved.text if saved else "",
        "written_by": describe_author(saved.author) if saved else "",
        "is_coming": is_coming,
        "note": _get_note(result, request.user),
        "not_read": messages.get_not_read_message(services.count_not_read(request.user.id, day)),
    }
    if is_requested:
        name = "diary/fragments/recap.html" if request.htmx else "diary/recap.html"
        return render(request, name, context)
    return (
        render(request, "diary/fragments/calendar_recap.html", context)
        if saved or is_coming
        else HttpResponse()
    )


def _get_note(result: services.SavedRecap | Job | None, person: Person) -> str:
    """Return the state of a recap that is being written, or the reason why there is none."""
    if isinstance(result, Job) and not result.is_over:
        return describe_job(result) or messages.READING_DAY
    if result is not None:
        return messages.RECAP_FAILED
    status = model_server.get_status()
    if status.is_ready:
        return messages.NOTHING_TO_RECAP
    reason = get_message_for(status.code, is_administrator=person.is_staff)
    return messages.NO_RECAP_NOW.format(reason)
