"""View decorators that require a signed-in person or an unlocked vault.

A page load is redirected (`/sign-in/`, `/unlock/`). A request from a script gets 401 and an htmx trigger that
opens a dialog over the page, so that typed text is not lost. A POST from a page of another person, such as an
old tab of a shared browser, is refused with 409.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import error_messages
from accounts.http.error_responses import (
    LOCKED,
    SAFE_METHODS,
    SIGNED_OUT,
    get_typed_text,
    is_htmx_request,
    render_refusal,
)
from accounts.http.request import HouseholdRequest

_P = ParamSpec("_P")
View = Callable[Concatenate[HouseholdRequest, _P], HttpResponse]

_TRIGGERS = {"sign_in": SIGNED_OUT, "unlock": LOCKED}


def redirect_to_login(request: HttpRequest, *, to: str) -> HttpResponse:
    """Redirect to the sign-in or unlock page; if the request has typed text, render a page that shows it.

    A request from htmx gets 401 and the trigger that opens a dialog.
    """
    if is_htmx_request(request):
        return HttpResponse(status=401, headers={"HX-Trigger": _TRIGGERS[to], "HX-Reswap": "none"})
    following = request.get_full_path() if request.method in SAFE_METHODS else request.path
    address = f"{reverse(to)}?{urlencode({'next': following})}"
    if not get_typed_text(request):
        return redirect(address)
    return render_refusal(
        request,
        status=401,
        title=error_messages.NOT_SAVED,
        sentence=error_messages.LOCKED,
        following=address,
    )


def _refuse_other_person(request: HouseholdRequest) -> HttpResponse | None:
    if request.method in SAFE_METHODS:
        return None
    if request.POST.get("owner", "") == str(request.user.id):
        return None
    return render_refusal(
        request,
        status=409,
        title=error_messages.OTHER_PERSONS_PAGE_TITLE,
        sentence=error_messages.OTHER_PERSONS_PAGE,
    )


def sign_in_required(view: View[_P]) -> View[_P]:
    """Require a signed-in person; their vault may be locked."""

    def gate(request: HouseholdRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        if request.vault.person is None:
            return redirect_to_login(request, to="sign_in")
        return _refuse_other_person(request) or view(request, *args, **kwargs)

    update_wrapper(gate, view)
    return gate


def unlock_required(view: View[_P]) -> View[_P]:
    """Require a signed-in person with an unlocked vault."""

    def gate(request: HouseholdRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        if request.vault.person is not None and not request.vault.is_unlocked:
            return redirect_to_login(request, to="unlock")
        return inner(request, *args, **kwargs)

    inner = sign_in_required(view)
    update_wrapper(gate, view)
    return gate


def administrator_required(view: View[_P]) -> View[_P]:
    """Require an administrator with an unlocked vault; respond 404 to others."""

    def gate(request: HouseholdRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return update_wrapper(unlock_required(gate), view)
