"""Years, the same day of all years, any day at random, and jumping to a month."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import days, leafing, remembering


@require_safe
@unlocked
def year(request: HouseholdRequest, year: int) -> HttpResponse:
    """Show a year in twelve small months."""
    view = leafing.year_view(request.user, year, now=timezone.now())
    return render(request, "diary/year.html", {"year": view, "months": leafing.months(request.user)})


@require_safe
@unlocked
def on_this_day(request: HouseholdRequest, place: date) -> HttpResponse:
    """Show what all years say on one place in the year; `place` is its day in a leap year."""
    leaf = remembering.leaf_of(request.user, f"{place:%m-%d}", number=request.GET.get("page"))
    context = {
        "place": place,
        "before": days.day_before(place),
        "after": days.day_after(place, until=date.max),
        "leaf": leaf,
        "years": remembering.years_of(request.user, leaf),
    }
    return render(request, "diary/on_this_day.html", context)


@require_safe
@unlocked
def this_day(request: HouseholdRequest) -> HttpResponse:
    """Go to the place in the year that it is for this person."""
    return redirect("on_this_day", days.today(request.user.time_zone, now=timezone.now()))


@require_safe
@unlocked
def random_day(request: HouseholdRequest) -> HttpResponse:
    """Open one of the written days."""
    day = leafing.a_written_day(request.user.id)
    return redirect("day", day) if day else redirect("today")


@require_safe
@unlocked
def jump(request: HouseholdRequest) -> HttpResponse:
    """Go to the month, or the year, that was asked for; an impossible one is a 404."""
    said_year, said_month = request.GET.get("year", "").strip(), request.GET.get("month", "").strip()
    try:
        number = int(said_year) if said_year.isascii() and said_year.isdigit() and len(said_year) < 5 else 0
        month = date(number, int(said_month) if said_month.isdigit() else 1, 1)
    except ValueError:
        raise Http404 from None
    return redirect("calendar", month.isoformat()[:7]) if said_month else redirect("year", month.year)
