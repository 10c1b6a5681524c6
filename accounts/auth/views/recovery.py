"""The page that shows a recovery code once, and goes on when two of its groups were typed back."""

import secrets

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
from accounts.models import Person
from accounts.sessions.cookies import SessionCookie, set_cookie
from accounts.sessions.user_agent import describe_device
from accounts.throttling.client_ip import get_client_ip
from llamora.crypto import recovery_groups

GONE = 410


def show_recovery_code(
    request: HttpRequest, person: Person, *, code: str, following: str = next_url.HOME
) -> HttpResponse:
    """Show a code in this very answer: it is stored nowhere, so there is no page to come back to."""
    asked = sorted(secrets.SystemRandom().sample(range(GROUP_COUNT), 2))
    shown = PendingCode(code=code, asked=asked, following=following)
    carried = recovery_confirmation.to_token(shown, owner=person.id)
    return _render_code_page(
        request, person, shown, ConfirmRecoveryCodeForm(code=code, asked=asked), carried=carried
    )


@require_POST
@sign_in_required
def confirm_recovery_code(request: HouseholdRequest) -> HttpResponse:
    """Go on once the code is kept, or show it again beside what is wrong."""
    carried = request.POST.get("carried", "")
    try:
        shown = recovery_confirmation.from_token(carried, owner=request.user.id)
    except RecoveryCodeExpired as error:
        sentence = error_messages.get_error_message(error)
        return render_refusal(request, status=GONE, title="Not compared", sentence=sentence)
    form = ConfirmRecoveryCodeForm(request.POST, code=shown.code, asked=shown.asked)
    if not form.is_valid():
        return _render_code_page(request, request.user, shown, form, carried=carried)
    recovery_confirmation.confirm_code(carried)
    if is_htmx_request(request):
        return HttpResponse(status=204, headers={"HX-Redirect": shown.following})
    return redirect(shown.following)


def _render_code_page(
    request: HttpRequest, person: Person, shown: PendingCode, form: ConfirmRecoveryCodeForm, *, carried: str
) -> HttpResponse:
    context = {"form": form, "carried": carried, "owner_id": person.id, "person": person}
    status = FORM_INVALID if form.is_bound else 200
    if form.is_bound and is_htmx_request(request):
        # The code stays where it is: only what was typed comes again.
        return render(request, "accounts/fragments/confirm_recovery_code_form.html", context, status=status)
    context["groups"] = recovery_groups(shown.code)
    return render(request, "accounts/recovery_code.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def recover(request: HouseholdRequest) -> HttpResponse:
    """Let somebody back in with their recovery code: a new password, a new code."""
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
    shown = show_recovery_code(request, recovered.person, code=recovered.recovery_code)
    return attach_session_cookie(request, shown, recovered.cookie)


def _recover(request: HouseholdRequest, form: RecoverForm) -> RecoveredAccount:
    return recover_account(
        name=form.cleaned_data["name"],
        code=form.cleaned_data["code"],
        new_password=form.cleaned_data["password"],
        address=get_client_ip(request),
        device=describe_device(request),
        here=request.vault,
    )


def attach_session_cookie(
    request: HttpRequest, page: HttpResponse, cookie: SessionCookie | None
) -> HttpResponse:
    # Without a cookie the code is shown all the same, and the next page asks to sign in.
    if cookie is not None:
        set_cookie(page, cookie, secure=request.is_secure())
    return page
