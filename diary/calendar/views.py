"""Years, the same day of all years, any day at random, and jumping to a month."""

from datetime import date
from urllib.parse import urlsplit

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary import days
from diary.calendar import on_this_day, queries

# MERGED diary.views.calendar: A month with its written days, beside the day or as a page of its own.


@require_safe
@unlock_required
def calendar(request: HouseholdRequest, month: date) -> HttpResponse:
    """Show a month."""
    name = "diary/fragments/calendar.html" if request.htmx else "diary/calendar.html"
    month_view = queries.build_month_view(
        request.user, month, selected=_get_page_day(request), now=timezone.now()
    )
    return render(request, name, {"calendar": month_view, "months": queries.month_choices(request.user)})


def _get_page_day(request: HouseholdRequest) -> date | None:
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


@require_safe
@unlock_required
def year(request: HouseholdRequest, year: int) -> HttpResponse:
    """Show a year in twelve small months."""
    view = queries.build_year_view(request.user, year, now=timezone.now())
    return render(request, "diary/year.html", {"year": view, "months": queries.month_choices(request.user)})


@require_safe
@unlock_required
def on_this_day_page(request: HouseholdRequest, month_day: date) -> HttpResponse:
    """Show the entries of all years on one day of the year, given as its date in a leap year."""
    leaf = on_this_day.get_page(request.user, f"{month_day:%m-%d}", number=request.GET.get("page"))
    context = {
        "month_day": month_day,
        "before": days.day_before(month_day),
        "after": days.day_after(month_day, until=date.max),
        "leaf": leaf,
        "years": on_this_day.build_years(request.user, leaf),
    }
    return render(request, "diary/on_this_day.html", context)


@require_safe
@unlock_required
def on_this_day_today(request: HouseholdRequest) -> HttpResponse:
    """Go to the place in the year that it is for this person."""
    return redirect("on_this_day", days.today(request.user.time_zone, now=timezone.now()))


@require_safe
@unlock_required
def random_day(request: HouseholdRequest) -> HttpResponse:
    """Open one of the written days."""
    day = queries.find_random_day(request.user.id)
    return redirect("day", day) if day else redirect("today")


@require_safe
@unlock_required
def jump_to_month(request: HouseholdRequest) -> HttpResponse:
    """Go to the month, or the year, that was asked for; an impossible one is a 404."""
    said_year, said_month = request.GET.get("year", "").strip(), request.GET.get("month", "").strip()
    try:
        number = int(said_year) if said_year.isascii() and said_year.isdigit() and len(said_year) < 5 else 0
        month = date(number, int(said_month) if said_month.isdigit() else 1, 1)
    except ValueError:
        raise Http404 from None
    return redirect("calendar", month.isoformat()[:7]) if said_month else redirect("year", month.year)
