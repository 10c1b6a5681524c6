"""Views of the calendar: the pages of a month, of a year, and of one day of the year in all years.

Other views redirect: to the last of these pages for today, to a random day, and to the month that was chosen
in an HTML form.
"""

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


@require_safe
@unlock_required
def calendar(request: HouseholdRequest, month: date) -> HttpResponse:
    """Show a month as a whole page, or for htmx as the calendar beside a day."""
    name = "diary/fragments/calendar.html" if request.htmx else "diary/calendar.html"
    month_view = queries.build_month_view(
        request.user, month, selected=_get_page_day(request), now=timezone.now()
    )
    return render(request, name, {"calendar": month_view, "months": queries.list_month_choices(request.user)})


def _get_page_day(request: HouseholdRequest) -> date | None:
    """Return the day of the page that requests the calendar by script, so that the day stays marked."""
    path = urlsplit(request.htmx.current_url_abs_path or "").path if request.htmx else ""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.url_name == "today":
        return days.today(request.user.time_zone, now=timezone.now())
    day = match.kwargs.get("day")
    return day if isinstance(day, date) else None


@require_safe
@unlock_required
def year(request: HouseholdRequest, year: int) -> HttpResponse:
    """Show a year as twelve small months."""
    view = queries.build_year_view(request.user, year, now=timezone.now())
    return render(
        request, "diary/year.html", {"year": view, "months": queries.list_month_choices(request.user)}
    )


@require_safe
@unlock_required
def on_this_day_page(request: HouseholdRequest, month_day: date) -> HttpResponse:
    """Show the entries of one day of the year, such as 5 May, in all years.

    `month_day` is a date with this day and month. The date is always in a leap year, which has 29 February.
    """
    page = on_this_day.get_page(request.user, f"{month_day:%m-%d}", number=request.GET.get("page"))
    context = {
        "month_day": month_day,
        "before": days.day_before(month_day),
        "after": days.day_after(month_day, until=date.max),
        "page": page,
        "years": on_this_day.build_years(request.user, page),
    }
    return render(request, "diary/on_this_day.html", context)


@require_safe
@unlock_required
def on_this_day_today(request: HouseholdRequest) -> HttpResponse:
    """Redirect to the "on this day" page of the person's today."""
    return redirect("on_this_day", days.today(request.user.time_zone, now=timezone.now()))


@require_safe
@unlock_required
def random_day(request: HouseholdRequest) -> HttpResponse:
    """Redirect to a random day with entries."""
    day = queries.find_random_day(request.user.id)
    return redirect("day", day) if day else redirect("today")


@require_safe
@unlock_required
def jump_to_month(request: HouseholdRequest) -> HttpResponse:
    """Redirect to the month or year in the submitted form; raise Http404 if it does not exist."""
    typed_year, typed_month = request.GET.get("year", "").strip(), request.GET.get("month", "").strip()
    is_year = typed_year.isascii() and typed_year.isdigit() and len(typed_year) < 5
    try:
        month = date(int(typed_year) if is_year else 0, int(typed_month) if typed_month.isdigit() else 1, 1)
    except (ValueError, OverflowError):
        raise Http404 from None
    return redirect("calendar", month.isoformat()[:7]) if typed_month else redirect("year", month.year)
