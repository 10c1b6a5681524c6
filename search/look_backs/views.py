"""Views of look-backs: the page of a week or a month, the list of all, and their forms.

Opening a page starts nothing: a look-back is started by a form. Without script, a form returns to the page of
its week or month.
"""

from datetime import date
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary import days
from llamora.inference.messages import get_message_for
from llamora.inference.registry import registry
from search import messages
from search.look_backs import presenters, services
from search.look_backs.day_texts import compute_present_digest, count_not_read
from search.look_backs.errors import NoLookBackModel, NothingToLookBackOn
from search.look_backs.periods import Period, Span
from search.look_backs.presenters import build_period_link
from search.look_backs.section import render_section
from search.models import LookBack

PAGE_SIZE = 60


@require_safe
@unlock_required
def look_backs(request: HouseholdRequest) -> HttpResponse:
    """Show the list of all look-backs, and links to the present week and month."""
    person = request.user
    today = days.today(person.time_zone, now=timezone.now())
    page = Paginator(presenters.list_periods(person.id), PAGE_SIZE).get_page(request.GET.get("page"))
    week = Period.create_week(today, week_start=person.week_start)
    context = {
        "page": page,
        "today_month": today,
        "periods": [build_period_link(period, language=person.language) for period in page],
        "week": build_period_link(week, language=person.language),
        "month": build_period_link(Period.create_month(today), language=person.language),
    }
    return render(request, "search/look_backs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def look_back_week(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show the look-back on a week, or start one."""
    week = Period.create_week(day, week_start=request.user.week_start)
    # One that was written when weeks began on another weekday stays where it was.
    if week.first != day and not _has_rows(request.user.id, "week", day):
        return redirect("look_back_week", week.first)
    return _respond(request, Period("week", day))


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def look_back_month(request: HouseholdRequest, month: date) -> HttpResponse:
    """Show the look-back on a month, or start one."""
    return _respond(request, Period.create_month(month))


def _has_rows(owner_id: UUID, span: Span, first: date) -> bool:
    return LookBack.objects.filter(owner_id=owner_id, span=span, first_day=first).exists()


def _respond(request: HouseholdRequest, period: Period) -> HttpResponse:
    if request.method != "POST":
        return _render_page(request, period)
    try:
        services.start_look_back(request.user, period, keyring=request.vault.keyring)
    except NothingToLookBackOn:
        return _render_page(request, period, status=422)
    except NoLookBackModel as refused:
        reason = get_message_for(refused.code, is_administrator=request.user.is_staff)
        sentence = messages.NO_LOOK_BACK_NOW.format(reason)
        return _render_page(request, period, sentence=sentence, status=503)
    return redirect(build_period_link(period, language=request.user.language).address)


def _render_page(
    request: HouseholdRequest, period: Period, *, sentence: str = "", status: int = 200
) -> HttpResponse:
    person = request.user
    rows = presenters.list_rows(person.id, period)
    views = [presenters.build_view(row, language=person.language) for row in rows]
    present = compute_present_digest(person, period)
    today = days.today(person.time_zone, now=timezone.now())
    weeks = period.iter_weeks(week_start=person.week_start) if period.is_month else ()
    context = {
        "period": period,
        "name": build_period_link(period, language=person.language),
        "before": period.before and build_period_link(period.before, language=person.language),
        "after": period.after
        and period.after.first <= today
        and build_period_link(period.after, language=person.language),
        "months": [
            build_period_link(month, language=person.language)
            for month in dict.fromkeys(Period.create_month(day) for day in (period.first, period.last))
            if not period.is_month
        ],
        "weeks": [build_period_link(week, language=person.language) for week in weeks if week.first <= today],
        "look_backs": views,
        "live_id": next((view.id for view in views if view.is_live), None),
        "is_empty": not present,
        "has_changed": bool(views) and not views[0].is_live and presenters.read_digest(rows[0]) != present,
        "sentence": sentence,
        "not_read": messages.get_not_read_message(count_not_read(person.id, period)) if not present else "",
    }
    return render(request, "search/look_back.html", context, status=status)


@require_POST
@unlock_required
def stop(request: HouseholdRequest, look_back_id: UUID) -> HttpResponse:
    """Stop a look-back and show its text so far."""
    row = services.get_look_back(request.user.id, look_back_id)
    registry.stop(row.id)
    if not request.htmx:
        return _redirect_to_period(request, row)
    row = services.get_look_back(request.user.id, look_back_id)
    view = presenters.build_view(row, language=request.user.language)
    return HttpResponse(render_section(view, owner_id=request.user.id).html)


@require_POST
@unlock_required
def delete(request: HouseholdRequest, look_back_id: UUID) -> HttpResponse:
    """Delete a look-back."""
    row = services.get_look_back(request.user.id, look_back_id)
    services.delete_look_back(row)
    return _redirect_to_period(request, row)


def _redirect_to_period(request: HouseholdRequest, row: LookBack) -> HttpResponse:
    period = Period("month" if row.span == "month" else "week", row.first_day)
    return redirect(build_period_link(period, language=request.user.language).address)
