"""A month with its written days, beside the day or as a page of its own."""

from datetime import date
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import days, leafing


@require_safe
@unlocked
def calendar(request: HouseholdRequest, month: date) -> HttpResponse:
    """Show a month."""
    name = "diary/fragments/calendar.html" if request.htmx else "diary/calendar.html"
    month_view = leafing.month_view(request.user, month, selected=_day_beside(request), now=timezone.now())
    return render(request, name, {"calendar": month_view, "months": leafing.months(request.user)})


def _day_beside(request: HouseholdRequest) -> date | None:
    """Return the day of the page this month is being turned on, so that it stays marked."""
    path = urlsplit(request.htmx.current_url_abs_path or "").path if request.htmx else ""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.url_name == "today":
        return days.today(request.user.time_zone, now=timezone.now())
    found = match.kwargs.get("day")
    return found if isinstance(found, date) else None
