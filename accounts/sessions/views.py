"""The page that lists the browsers in which a person is signed in. Each browser can be signed out there."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts import error_messages
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.models import SignIn
from accounts.sessions import services

_FORM = ["GET", "HEAD", "POST"]


@require_GET
@unlock_required
def browsers(request: HouseholdRequest) -> HttpResponse:
    """Show all signed-in browsers of this person, with the current one first."""
    here = request.vault.sign_in_id
    rows = SignIn.objects.filter(person=request.user).select_related("unlock").order_by("-last_active")
    context = {
        "here": next((row for row in rows if row.id == here), None),
        "others": [row for row in rows if row.id != here],
        "in_settings": True,
    }
    return render(request, "accounts/browsers.html", context)


@require_http_methods(_FORM)
@unlock_required
def sign_out_browser(request: HouseholdRequest, sign_in_id: UUID) -> HttpResponse:
    """Sign out one browser of this person.

    A GET request, which comes after an unlock, is redirected to the list of browsers.
    """
    if request.method != "POST":
        return redirect("browsers")
    if not SignIn.objects.filter(id=sign_in_id, person=request.user).exists():
        raise Http404
    if services.end_or_revoke(sign_in_id=sign_in_id, person_id=request.user.id):
        messages.success(request, error_messages.BROWSER_SIGNED_OUT)
    else:
        messages.warning(request, error_messages.ENDED_IN_MEMORY)
    return redirect("browsers")


@require_http_methods(_FORM)
@unlock_required
def sign_out_other_browsers(request: HouseholdRequest) -> HttpResponse:
    """Sign out all browsers of this person except this one."""
    if request.method != "POST":
        return redirect("browsers")
    count = services.end_sessions(person_id=request.user.id, except_id=request.vault.sign_in_id)
    messages.success(request, error_messages.get_signed_out_message(count))
    return redirect("browsers")
