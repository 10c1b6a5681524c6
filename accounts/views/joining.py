"""Registering, the strength of a password, and recovery."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations, languages, sentences, services, setup
from accounts.addresses import address_of
from accounts.answers import refused, say_when, status_of, too_soon
from accounts.cookies import SessionCookie, set_cookie
from accounts.devices import device_of
from accounts.errors import AccountsError, NotInvited, TooSoon
from accounts.forms import RecoverForm, RegisterForm
from accounts.http import HouseholdRequest
from accounts.names import MAX_NAME
from accounts.passwords import MAX_LENGTH, strength
from accounts.services.recovering import Recovered
from accounts.throttle import METER, throttle
from accounts.turnstile import through_turnstile
from accounts.views.codes import show_code

REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
@through_turnstile
def register(request: HouseholdRequest) -> HttpResponse:
    """Make somebody's diary: the first person's with the set-up link, others' where that is open."""
    if request.vault.person is not None and request.method != "POST":
        return redirect("/")
    try:
        admission = _admission(request)
    except TooSoon as error:
        return too_soon(request, error)
    if not admission.is_open:
        return _not_open(request, admission)
    if request.method != "POST":
        return _register_page(request, RegisterForm(), admission)
    return _register(request, RegisterForm(request.POST), admission)


@dataclass(frozen=True, kw_only=True)
class _Admission:
    """By what right somebody makes a diary: a link of one of two kinds, or none where anybody may."""

    set_up: str = field(default="", repr=False)
    invitation: str = field(default="", repr=False)
    is_first: bool = False
    is_invited: bool = False

    @property
    def is_open(self) -> bool:
        return self.is_first or self.is_invited or settings.REGISTRATION == "open"


def _admission(request: HouseholdRequest) -> _Admission:
    """Return what a link is good for; wrong ones are counted."""
    set_up = request.POST.get("token") or request.GET.get("set-up") or ""
    invitation = request.POST.get("invite") or request.GET.get(invitations.PARAMETER) or ""
    return _Admission(
        set_up=set_up,
        invitation=invitation,
        is_first=_is_good(request, set_up, kind="set-up", judge=setup.is_right),
        is_invited=_is_good(request, invitation, kind="invite", judge=invitations.is_good),
    )


def _is_good(request: HouseholdRequest, token: str, *, kind: str, judge: Callable[[str], bool]) -> bool:
    if not token:
        return False
    with throttle.attempt(kind, address=address_of(request)) as attempt:
        if judge(token):
            return True
        attempt.wrong()
    return False


def _not_open(request: HouseholdRequest, admission: _Admission) -> HttpResponse:
    sentence = sentences.refusal(NotInvited()) if admission.invitation else sentences.CLOSED
    return refused(request, status=403, title="Not open", sentence=sentence, following="/sign-in/")


def _register(request: HouseholdRequest, form: RegisterForm, admission: _Admission) -> HttpResponse:
    if not form.is_valid():
        return _register_page(request, form, admission, status=REFUSED)
    try:
        enrolled, cookie = services.join(
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            time_zone=form.cleaned_data["time_zone"],
            language=languages.guessed(request.headers.get("Accept-Language", "")),
            keeper=admission.is_first,
            invitation=admission.invitation if admission.is_invited else "",
            address=address_of(request),
            device=device_of(request),
            here=request.vault,
        )
    except AccountsError as error:
        form.add_error("name" if error.code == "name_taken" else None, sentences.refusal(error))
        page = _register_page(request, form, admission, status=status_of(error))
        return say_when(page, error)
    rotate_token(request)
    return _come_in(request, show_code(request, enrolled.person, code=enrolled.recovery_code), cookie)


def _register_page(
    request: HttpRequest, form: RegisterForm, admission: _Admission, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "admission": admission, "is_first": admission.is_first}
    return render(request, "accounts/register.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@through_turnstile
def recover(request: HouseholdRequest) -> HttpResponse:
    """Let somebody back in with their recovery code: a new password, a new code."""
    if request.method != "POST":
        return render(request, "accounts/recover.html", {"form": RecoverForm()})
    form = RecoverForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/recover.html", {"form": form}, status=REFUSED)
    try:
        recovered = _recover(request, form)
    except AccountsError as error:
        form.add_error(None, sentences.refusal(error, of_code=True))
        page = render(request, "accounts/recover.html", {"form": form}, status=status_of(error))
        return say_when(page, error)
    rotate_token(request)
    shown = show_code(request, recovered.person, code=recovered.recovery_code)
    return _come_in(request, shown, recovered.cookie)


def _recover(request: HouseholdRequest, form: RecoverForm) -> Recovered:
    return services.recover(
        name=form.cleaned_data["name"],
        code=form.cleaned_data["code"],
        new_password=form.cleaned_data["password"],
        address=address_of(request),
        device=device_of(request),
        here=request.vault,
    )


def _come_in(request: HttpRequest, page: HttpResponse, cookie: SessionCookie | None) -> HttpResponse:
    # Without a cookie the code is shown all the same, and the next page asks to sign in.
    if cookie is not None:
        set_cookie(page, cookie, secure=request.is_secure())
    return page


@require_POST
@through_turnstile
def meter(request: HttpRequest) -> HttpResponse:
    """Say how strong a password is, while it is being chosen."""
    try:
        with throttle.attempt("strength", address=address_of(request), charge=METER) as attempt:
            # Every question counts: each costs a moment of the processor.
            attempt.wrong()
            password, name = request.POST.get("password", ""), request.POST.get("name", "")
            judged = strength(password[:MAX_LENGTH], name=name[:MAX_NAME]) if password else None
    except TooSoon as error:
        return too_soon(request, error)
    context = {"score": judged.score, "sentence": judged.sentence} if judged else {"score": None}
    return render(request, "accounts/fragments/strength.html", context)
