"""Views of sign-in, unlock, lock and sign-out, which set or delete the session cookie."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import error_messages
from accounts.auth.forms import SignInForm, UnlockForm
from accounts.auth.services.login import (
    SignInResult,
    sign_in_with_password,
    unlock_with_password,
)
from accounts.auth.views.recovery import show_recovery_code
from accounts.decorators import redirect_to_login
from accounts.errors import AccountsError, DiaryRolledBack
from accounts.http import next_url
from accounts.http.error_responses import (
    FORM_INVALID,
    LOCKED,
    SIGNED_OUT,
    get_error_status,
    is_htmx_request,
    set_retry_after,
)
from accounts.http.request import HouseholdRequest
from accounts.keys.token_slots import suspend_tokens
from accounts.losses.views import add_losses_page
from accounts.models import Person
from accounts.rotation.error_messages import get_refused_slot_message
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie, clear_cache, delete_cookies, set_cookie
from accounts.sessions.latest_key_cookie import check_not_rolled_back, set_latest_key_cookie
from accounts.sessions.user_agent import describe_device
from accounts.throttling import device_cookie
from accounts.throttling.client_ip import get_client_ip
from llamora.crypto import Keyring
from llamora.database import write_transaction


def set_session_cookie(request: HttpRequest, response: HttpResponse, cookie: SessionCookie) -> None:
    """Set the session cookie, and the cookie that identifies the latest data key.

    The session cookie expires with the sign-in.
    """
    age = sessions_services.get_cookie_age(cookie.sign_in_id)
    set_cookie(response, cookie, secure=request.is_secure(), age=age)
    set_latest_key_cookie(request, response, sign_in_id=cookie.sign_in_id)


def _choose_check(request: HttpRequest, form: SignInForm | UnlockForm) -> Callable[[Keyring], None]:
    """Return the check for a rollback, or a function that accepts one if a backup was restored."""
    if form.is_backup_restored:
        return _accept_restored_diary
    return partial(check_not_rolled_back, request.COOKIES)


def _accept_restored_diary(keyring: Keyring) -> None:
    """Accept a diary from a backup, and suspend its tokens: only its owner knows which were revoked later."""
    with write_transaction():
        suspend_tokens(keyring.owner)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HouseholdRequest) -> HttpResponse:
    """Sign a person in and unlock their vault."""
    following = next_url.get_next_url(request)
    if request.method != "POST":
        if request.vault.is_unlocked:
            return redirect(following)
        if not Person.objects.exists():
            return render(request, "accounts/not_set_up.html")
        return _render_sign_in(request, SignInForm(), following)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _render_sign_in(request, form, following, status=FORM_INVALID)
    try:
        signed_in = sign_in_with_password(
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            address=get_client_ip(request),
            days=form.cleaned_data["stay_days"],
            device=describe_device(request),
            device_cookie=request.COOKIES.get(device_cookie.COOKIE_NAME, ""),
            request_vault=request.vault,
            check_key=_choose_check(request, form),
        )
    except AccountsError as error:
        form.add_error(None, error_messages.get_error_message(error))
        if isinstance(error, DiaryRolledBack):
            form.ask_about_backup()
        return set_retry_after(
            _render_sign_in(request, form, following, status=get_error_status(error)), error
        )
    rotate_token(request)
    response = _respond_to_signed_in(request, signed_in, following)
    if form.cleaned_data["stay_days"]:
        device_cookie.set_device_cookie(response, person_id=signed_in.person.id, secure=request.is_secure())
    return response


def _respond_to_signed_in(request: HttpRequest, signed_in: SignInResult, following: str) -> HttpResponse:
    """Redirect to the next page, or show a new recovery code first if one had to be created."""
    for slot in signed_in.refused_slots:
        messages.warning(request, get_refused_slot_message(slot))
    following = add_losses_page(request, signed_in.person, following)
    if signed_in.recovery_code:
        response = show_recovery_code(
            request,
            signed_in.person,
            code=signed_in.recovery_code,
            following=following,
            is_unexpected=True,
        )
        if is_htmx_request(request):
            # The dialog was over a page; its text is saved as a draft.
            response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML"
    else:
        response = _redirect_or_confirm(request, following)
    set_session_cookie(request, response, signed_in.cookie)
    return response


def _render_sign_in(
    request: HttpRequest, form: SignInForm, following: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "next": "" if following == next_url.HOME else following,
        "registration_open": settings.REGISTRATION == "open",
    }
    return render(request, "accounts/sign_in.html", context, status=status)


def _redirect_or_confirm(request: HttpRequest, following: str) -> HttpResponse:
    """Redirect to the next page; a dialog over an open page gets 204 instead, and the page stays."""
    return HttpResponse(status=204) if is_htmx_request(request) else redirect(following)


@require_http_methods(["GET", "HEAD", "POST"])
def unlock(request: HouseholdRequest) -> HttpResponse:
    """Unlock the vault of the signed-in person."""
    following = next_url.get_next_url(request)
    if request.vault.person is None:
        return (
            redirect_to_login(request, to="sign_in")
            if is_htmx_request(request)
            else _redirect_to_sign_in(following)
        )
    if request.method != "POST":
        return (
            redirect(following)
            if request.vault.is_unlocked
            else _render_unlock(request, UnlockForm(), following)
        )
    form = UnlockForm(request.POST)
    if not form.is_valid():
        return _render_unlock(request, form, following, status=FORM_INVALID)
    try:
        signed_in = unlock_with_password(
            request_vault=request.vault,
            password=form.cleaned_data["password"],
            address=get_client_ip(request),
            check_key=_choose_check(request, form),
        )
    except AccountsError as error:
        form.add_error(None, _get_unlock_error(error))
        if isinstance(error, DiaryRolledBack):
            form.ask_about_backup()
        return set_retry_after(
            _render_unlock(request, form, following, status=get_error_status(error)), error
        )
    # The CSRF secret stays: another tab may be saving with it.
    return _respond_to_signed_in(request, signed_in, following)


def _get_unlock_error(error: AccountsError) -> str:
    return (
        error_messages.get_error_message(error)
        if error.code != "wrong"
        else error_messages.REAUTHENTICATION_FAILED
    )


def _redirect_to_sign_in(following: str) -> HttpResponse:
    return redirect(f"{reverse('sign_in')}?{urlencode({'next': following})}")


def _render_unlock(
    request: HttpRequest, form: UnlockForm, following: str, *, status: int = 200
) -> HttpResponse:
    template = "accounts/fragments/unlock_form.html" if is_htmx_request(request) else "accounts/unlock.html"
    return render(request, template, {"form": form, "next": following}, status=status)


@require_POST
def lock(request: HouseholdRequest) -> HttpResponse:
    """Lock the diary in this browser.

    The owner of the page may be another person than the one who is signed in, since locking is always safe.
    """
    person, sign_in_id = request.vault.person, request.vault.sign_in_id
    if (
        person is not None
        and sign_in_id is not None
        and not sessions_services.lock_or_revoke(sign_in_id=sign_in_id, person_id=person.id)
    ):
        messages.warning(request, error_messages.LOCKED_IN_MEMORY)
    response = _redirect_after_lock(request, to="unlock", trigger=LOCKED)
    clear_cache(response)
    return response


@require_POST
def sign_out(request: HouseholdRequest) -> HttpResponse:
    """Sign this browser out.

    The owner of the page may be another person than the one who is signed in, since signing out is always
    safe.
    """
    person, sign_in_id = request.vault.person, request.vault.sign_in_id
    is_gone = True
    if person is not None and sign_in_id is not None:
        is_gone = sessions_services.end_or_revoke(sign_in_id=sign_in_id, person_id=person.id)
    if is_gone or is_htmx_request(request):
        response = _redirect_after_lock(request, to="sign_in", trigger=SIGNED_OUT)
    else:
        context = {"title": error_messages.SIGNED_OUT_TITLE, "sentence": error_messages.SIGNED_OUT_IN_MEMORY}
        response = render(request, "refused.html", context)
    delete_cookies(request, response)
    return response


def _redirect_after_lock(request: HouseholdRequest, *, to: str, trigger: str) -> HttpResponse:
    if is_htmx_request(request):
        return HttpResponse(status=204, headers={"HX-Trigger": trigger})
    if to == "sign_in":
        return redirect(reverse("sign_in"))
    return redirect(f"{reverse(to)}?{urlencode({'next': next_url.get_referring_url(request)})}")
