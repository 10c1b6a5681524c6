"""The page about saves that the database lost, shown after an unlock until the person has read it."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import error_messages
from accounts.decorators import unlock_required
from accounts.http import next_url
from accounts.http.error_responses import is_htmx_request
from accounts.http.request import HouseholdRequest
from accounts.losses import reports
from accounts.models import Person


def add_losses_page(request: HttpRequest, person: Person, following: str) -> str:
    """If there are unread reports of lost saves, return the URL of the page about them, else `following`.

    The page is shown after an unlock, and leads to the URL `following`. For htmx, the reports are added as
    messages too.
    """
    found = reports.list_reports_for(person)
    if not found:
        return following
    if is_htmx_request(request):
        # The page under the dialog stays, since it may have text that is not saved.
        for report in found:
            messages.warning(request, reports.describe_loss(report, zone=person.time_zone))
    return f"{reverse('losses')}?{urlencode({'next': following})}"


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def losses(request: HouseholdRequest) -> HttpResponse:
    """Show the reports of lost saves that the person has not acknowledged.

    A POST request acknowledges these reports.
    """
    following = next_url.get_next_url(request)
    if request.method == "POST":
        try:
            reports.acknowledge_reports(request.user)
        except OSError:
            # It is then shown once more.
            messages.warning(request, error_messages.NOT_NOTED)
        return redirect(following)
    found = reports.list_reports_for(request.user)
    if not found:
        return redirect(following)
    shown = [
        {
            "sentence": reports.describe_loss(report, zone=request.user.time_zone),
            "days": report.get_days(request.user),
            "concerns_me": report.concerns(request.user),
            "for_administrator": reports.describe_extent(report) if request.user.is_staff else "",
        }
        for report in found
    ]
    context = {"reports": shown, "command": reports.COMPARISON, "next": following}
    return render(request, "accounts/losses.html", context)
