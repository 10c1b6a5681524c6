"""The end of an account, by its owner."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods

from accounts import holdings, known_browsers
from accounts.cookies import forget_cookies
from accounts.forms import ProveForm
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from accounts.services import leaving
from accounts.services.securing import Asked
from accounts.turnstile import through_turnstile
from accounts.views.proving import proven

# The apps above bring the page; without it the command alone is named.
_EXPORT = "export"


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
@through_turnstile
def leave(request: HouseholdRequest) -> HttpResponse:
    """Say what will go and offer to take it along; with the password, delete it all."""
    form = ProveForm(request.POST if request.method == "POST" else None)

    def act(asked: Asked) -> HttpResponse:
        leaving.leave(asked)
        response = render(request, "accounts/gone.html")
        forget_cookies(request, response)
        known_browsers.forget(response)
        return response

    context = {
        "holdings": holdings.of(request.user.id),
        "export": _export_page(),
        "export_command": holdings.export_command(request.user),
    }
    return proven(request, form, template="accounts/leave.html", act=act, context=context)


def _export_page() -> str:
    try:
        return reverse(_EXPORT)
    except NoReverseMatch:
        return ""
