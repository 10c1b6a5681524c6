"""Views of recovery, and of the page that shows a recovery code once and asks for two of its groups."""

import secrets
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import error_messages
from accounts.auth.forms import GROUP_COUNT, ConfirmRecoveryCodeForm, RecoverForm
from accounts.auth.services import recovery_confirmation
from accounts.auth.services.recovery import RecoveredAccount, recover_account
from accounts.auth.services.recovery_confirmation import PendingCode
from accounts.decorators import sign_in_required
from accounts.errors import AccountsError, RecoveryCodeExpired
from accounts.http import next_url
from accounts.http.error_responses import (
    FORM_INVALID,
    get_error_status,
    is_htmx_request,
    render_refusal,
    set_retry_after,
)
from accounts.http.request import HouseholdRequest
from accounts.keys import vault_state
from accounts.models import Person
from accounts.sessions.cookies import SessionCookie, set_cookie
from accounts.sessions.latest_key_cookie import set_latest_key_cookie
from accounts.sessions.user_agent import describe_device
from accounts.throttling.client_ip import get_client_ip
from llamora.crypto import recovery_groups
from llamora.database import NotWritten

GONE = 410


def show_recovery_code(
    request: HttpRequest,
    person: Person,
    *,
    code: str,
    following: str = next_url.HOME,
    is_unexpected: bool = False,
) -> HttpResponse:
    """Render the page of a new recovery code, which cannot be shown again later.

    `is_unexpected` is set if the code replaces another one although the person did not ask for it.
    """
    asked = sorted(secrets.SystemRandom().sample(range(GROUP_COUNT), 2))
    pending = PendingCode(code=code, asked=asked, following=following)
    token = recovery_confirmation.create_token(pending, owner=person.id)
    return _render_code_page(
        request,
        person,
        pending,
        ConfirmRecoveryCodeForm(code=code, asked=asked),
        token=token,
        is_unexpected=is_unexpected,
    )


@require_POST
@sign_in_required
def confirm_recovery_code(request: HouseholdRequest) -> HttpResponse:
    """Redirect to the next page if both typed groups of the recovery code are right.

    Otherwise show the code again, with the errors.
    """
    token = request.POST.get("carried", "")
    try:
        pending = recovery_confirmation.open_token(token, owner=request.user.id)
    except RecoveryCodeExpired as error:
        sentence = error_messages.get_error_message(error)
        return render_refusal(request, status=GONE, title=error_messages.CODE_GONE_TITLE, sentence=sentence)
    form = ConfirmRecoveryCodeForm(request.POST, code=pending.code, asked=pending.asked)
    if not form.is_valid():
        return _render_code_page(request, request.user, pending, form, token=token)
    recovery_confirmation.confirm_code(token)
    if request.vault.is_unlocked:
        # A full disk is no reason to hold a person up: they then confirm a new code at the next unlock.
        with suppress(NotWritten):
            vault_state.confirm_code(request.vault.keyring)
    if is_htmx_request(request):
        return HttpResponse(status=204, headers={"HX-Redirect": pending.following})
    return redirect(pending.following)


def _render_code_page(
    request: HttpRequest,
    person: Person,
    pending: PendingCode,
    form: ConfirmRecoveryCodeForm,
    *,
    token: str,
    is_unexpected: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "carried": token,
        "code_owner_id": person.id,
        "is_unexpected": is_unexpected,
    }
    status = FORM_INVALID if form.is_bound else 200
    if form.is_bound and is_htmx_request(request):
        # The code stays in the page; only the form is sent again.
        return render(request, "accounts/fragments/confirm_recovery_code_form.html", context, status=status)
    context["groups"] = recovery_groups(pending.code)
    return render(request, "accounts/recovery_code.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def recover(request: HouseholdRequest) -> HttpResponse:
    """Recover an account with its recovery code, set a new password, and show a new recovery code."""
    if request.method != "POST":
        return render(request, "accounts/recover.html", {"form": RecoverForm()})
    form = RecoverForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/recover.html", {"form": form}, status=FORM_INVALID)
    try:
        recovered = _recover(request, form)
    except AccountsError as error:
        form.add_error(None, error_messages.get_error_message(error, is_recovery=True))
        page = render(request, "accounts/recover.html", {"form": form}, status=get_error_status(error))
        return set_retry_after(page, error)
    rotate_token(request)
    page = show_recovery_code(request, recovered.person, code=recovered.recovery_code)
    return attach_session_cookie(request, page, recovered.cookie)


def _recover(request: HouseholdRequest, form: RecoverForm) -> RecoveredAccount:
    return recover_account(
        name=form.cleaned_data["name"],
        code=form.cleaned_data["code"],
        new_password=form.cleaned_data["password"],
        address=get_client_ip(request),
        device=describe_device(request),
        request_vault=request.vault,
    )


def attach_session_cookie(
    request: HttpRequest, page: HttpResponse, cookie: SessionCookie | None
) -> HttpResponse:
    """Set the session cookie in the response that shows a recovery code, unless `cookie` is None.

    Without a cookie, the next page asks the person to sign in.
    """
    if cookie is not None:
        set_cookie(page, cookie, secure=request.is_secure())
        set_latest_key_cookie(request, page, sign_in_id=cookie.sign_in_id)
    return page
