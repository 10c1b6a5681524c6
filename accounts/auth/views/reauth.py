"""Re-authentication page: an HTML form asks for the current password before a view makes its change."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts import error_messages
from accounts.auth.forms import ReauthenticationForm, ReplacePasswordForm
from accounts.auth.services.reauth import Reauthentication
from accounts.errors import AccountsError, WrongPerson
from accounts.http.error_responses import FORM_INVALID, get_error_status, set_retry_after
from accounts.http.request import HouseholdRequest
from accounts.rotation.error_messages import get_rotation_error_message
from accounts.sessions.cookies import get_session_cookie
from accounts.throttling.client_ip import get_client_ip

ReauthenticatedForm = ReauthenticationForm | ReplacePasswordForm


def with_reauthentication(
    request: HouseholdRequest,
    form: ReauthenticatedForm,
    *,
    template: str,
    act: Callable[[Reauthentication], HttpResponse],
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show the form; once a valid one is submitted, call `act` and return its response.

    `act` checks the password. If `act` raises an AccountsError, such as for a wrong password, show the form
    with its message.
    """
    if request.method != "POST":
        return _render_page(request, form, template, context)
    if not form.is_valid():
        return _render_page(request, form, template, context, status=FORM_INVALID)
    try:
        return act(build_reauthentication(request, password=form.cleaned_data["current"]))
    except AccountsError as error:
        form.add_error("current" if error.code == "wrong" else None, _get_message(error))
        return set_retry_after(
            _render_page(request, form, template, context, status=get_error_status(error)), error
        )


def build_reauthentication(request: HouseholdRequest, *, password: str) -> Reauthentication:
    """Return the session and password of a request; raise WrongPerson without a session cookie."""
    cookie = get_session_cookie(request)
    if cookie is None:
        raise WrongPerson
    return Reauthentication(
        vault=request.vault, cookie=cookie, password=password, address=get_client_ip(request)
    )


def _get_message(error: AccountsError) -> str:
    return (
        error_messages.REAUTHENTICATION_FAILED if error.code == "wrong" else get_rotation_error_message(error)
    )


def _render_page(
    request: HouseholdRequest,
    form: ReauthenticatedForm,
    template: str,
    context: dict[str, Any] | None,
    *,
    status: int = 200,
) -> HttpResponse:
    full_context = {"form": form, "in_settings": True, **(context or {})}
    return render(request, template, full_context, status=status)
