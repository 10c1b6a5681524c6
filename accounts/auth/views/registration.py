"""Views of registration, and of the rating of a password while it is typed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import error_messages
from accounts.auth.forms import RegisterForm
from accounts.auth.passwords import MAX_LENGTH, get_password_strength
from accounts.auth.services import first_run, invitations
from accounts.auth.services.registration import register_person
from accounts.auth.views.recovery import attach_session_cookie, show_recovery_code
from accounts.errors import AccountsError, InvalidInvitation, TooManyAttempts
from accounts.http.error_responses import (
    FORM_INVALID,
    get_error_status,
    render_refusal,
    render_too_soon,
    set_retry_after,
)
from accounts.http.request import HouseholdRequest
from accounts.preferences import languages
from accounts.sessions.user_agent import describe_device
from accounts.throttling.client_ip import get_client_ip
from accounts.throttling.throttle import STRENGTH_METER, throttle
from accounts.usernames import MAX_NAME


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HouseholdRequest) -> HttpResponse:
    """Register a person: the first with the set-up link, others with an invitation or open registration."""
    if request.vault.person is not None and request.method != "POST":
        return redirect("/")
    try:
        permission = _get_permission(request)
    except TooManyAttempts as error:
        return render_too_soon(request, error)
    if not permission.is_open:
        return _refuse_registration(request, permission)
    if request.method != "POST":
        return _render_registration(request, RegisterForm(), permission)
    return _handle_registration(request, RegisterForm(request.POST), permission)


@dataclass(frozen=True, kw_only=True)
class _RegistrationPermission:
    """Permission to register: by the set-up link, by an invitation, or because registration is open."""

    set_up: str = field(default="", repr=False)
    invitation: str = field(default="", repr=False)
    is_first: bool = False
    is_invited: bool = False

    @property
    def is_open(self) -> bool:
        return self.is_first or self.is_invited or settings.REGISTRATION == "open"


def _get_permission(request: HouseholdRequest) -> _RegistrationPermission:
    """Return the permission that the token in the request gives; throttle wrong tokens."""
    set_up = request.POST.get("token") or request.GET.get("set-up") or ""
    invitation = request.POST.get("invite") or request.GET.get(invitations.PARAMETER) or ""
    return _RegistrationPermission(
        set_up=set_up,
        invitation=invitation,
        is_first=_is_valid_link(request, set_up, kind="set-up", is_valid=first_run.is_setup_token),
        is_invited=_is_valid_link(
            request, invitation, kind="invite", is_valid=invitations.is_valid_invitation
        ),
    )


def _is_valid_link(
    request: HouseholdRequest, token: str, *, kind: str, is_valid: Callable[[str], bool]
) -> bool:
    if not token:
        return False
    with throttle.attempt(kind, address=get_client_ip(request)) as attempt:
        if is_valid(token):
            return True
        attempt.fail()
    return False


def _refuse_registration(request: HouseholdRequest, permission: _RegistrationPermission) -> HttpResponse:
    sentence = (
        error_messages.get_error_message(InvalidInvitation())
        if permission.invitation
        else error_messages.REGISTRATION_CLOSED
    )
    return render_refusal(
        request,
        status=403,
        title=error_messages.REGISTRATION_CLOSED_TITLE,
        sentence=sentence,
        following="/sign-in/",
    )


def _handle_registration(
    request: HouseholdRequest, form: RegisterForm, permission: _RegistrationPermission
) -> HttpResponse:
    if not form.is_valid():
        return _render_registration(request, form, permission, status=FORM_INVALID)
    try:
        created, cookie = register_person(
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            time_zone=form.cleaned_data["time_zone"],
            language=languages.guess_language(request.headers.get("Accept-Language", "")),
            is_administrator=permission.is_first,
            invitation=permission.invitation if permission.is_invited else "",
            address=get_client_ip(request),
            device=describe_device(request),
            request_vault=request.vault,
        )
    except AccountsError as error:
        form.add_error(
            "name" if error.code == "name_taken" else None, error_messages.get_error_message(error)
        )
        page = _render_registration(request, form, permission, status=get_error_status(error))
        return set_retry_after(page, error)
    rotate_token(request)
    return attach_session_cookie(
        request, show_recovery_code(request, created.person, code=created.recovery_code), cookie
    )


def _render_registration(
    request: HttpRequest, form: RegisterForm, permission: _RegistrationPermission, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "permission": permission, "is_first": permission.is_first}
    return render(request, "accounts/register.html", context, status=status)


@require_POST
def show_password_strength(request: HttpRequest) -> HttpResponse:
    """Return a fragment that rates the strength of the password typed so far."""
    try:
        with throttle.attempt(
            "strength", address=get_client_ip(request), address_rule=STRENGTH_METER
        ) as attempt:
            # Every request counts: each costs processor time.
            attempt.fail()
            password, name = request.POST.get("password", ""), request.POST.get("name", "")
            strength = (
                get_password_strength(password[:MAX_LENGTH], name=name[:MAX_NAME]) if password else None
            )
    except TooManyAttempts as error:
        return render_too_soon(request, error)
    context = {"score": strength.score, "sentence": strength.sentence} if strength else {"score": None}
    return render(request, "accounts/fragments/password_strength.html", context)
