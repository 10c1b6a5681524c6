"""Signing in, unlocking, locking, signing out."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import known_browsers, return_address, sentences, services, sessions
from accounts.addresses import address_of
from accounts.answers import LOCKED, SIGNED_OUT, by_script, say_when, status_of
from accounts.cookies import clear_cache, forget_cookies
from accounts.devices import device_of
from accounts.errors import AccountsError
from accounts.forms import SignInForm, UnlockForm
from accounts.gates import turned_away
from accounts.http import HouseholdRequest
from accounts.turnstile import through_turnstile
from accounts.views.staying import keep_cookie

REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
@through_turnstile
def sign_in(request: HouseholdRequest) -> HttpResponse:
    """Let a person in: signing in opens their vault."""
    following = return_address.asked(request)
    if request.method != "POST":
        if request.vault.is_unlocked:
            return redirect(following)
        return _sign_in_page(request, SignInForm(), following)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, following, status=REFUSED)
    try:
        person, cookie = services.sign_in(
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            address=address_of(request),
            days=form.cleaned_data["keep"],
            device=device_of(request),
            known=request.COOKIES.get(known_browsers.COOKIE, ""),
            here=request.vault,
        )
    except AccountsError as error:
        form.add_error(None, sentences.refusal(error))
        return say_when(_sign_in_page(request, form, following, status=status_of(error)), error)
    rotate_token(request)
    response = _come_in(request, following)
    keep_cookie(request, response, cookie)
    if form.cleaned_data["keep"]:
        known_browsers.mark(response, person_id=person.id, secure=request.is_secure())
    return response


def _sign_in_page(
    request: HttpRequest, form: SignInForm, following: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "next": "" if following == return_address.HOME else following,
        "registration_open": settings.REGISTRATION == "open",
    }
    return render(request, "accounts/sign_in.html", context, status=status)


def _come_in(request: HttpRequest, following: str) -> HttpResponse:
    """Go on to the page asked for; a dialog over a page hears that all went well, and the page stays."""
    return HttpResponse(status=204) if by_script(request) else redirect(following)


@require_http_methods(["GET", "HEAD", "POST"])
@through_turnstile
def unlock(request: HouseholdRequest) -> HttpResponse:
    """Open the vault of the person who is signed in here, and of nobody else."""
    following = return_address.asked(request)
    if request.vault.person is None:
        return turned_away(request, to="sign_in") if by_script(request) else _to_sign_in(following)
    if request.method != "POST":
        return (
            redirect(following)
            if request.vault.is_unlocked
            else _unlock_page(request, UnlockForm(), following)
        )
    form = UnlockForm(request.POST)
    if not form.is_valid():
        return _unlock_page(request, form, following, status=REFUSED)
    try:
        cookie = services.unlock(
            here=request.vault, password=form.cleaned_data["password"], address=address_of(request)
        )
    except AccountsError as error:
        form.add_error(None, _why_locked(error))
        return say_when(_unlock_page(request, form, following, status=status_of(error)), error)
    # The CSRF secret stays: a save from another tab is under way with it.
    response = _come_in(request, following)
    keep_cookie(request, response, cookie)
    return response


def _why_locked(error: AccountsError) -> str:
    return sentences.refusal(error) if error.code != "wrong" else sentences.NOT_THIS_ONE


def _to_sign_in(following: str) -> HttpResponse:
    return redirect(f"{reverse('sign_in')}?{urlencode({'next': following})}")


def _unlock_page(
    request: HttpRequest, form: UnlockForm, following: str, *, status: int = 200
) -> HttpResponse:
    template = "accounts/fragments/unlock_form.html" if by_script(request) else "accounts/unlock.html"
    return render(request, template, {"form": form, "next": following}, status=status)


@require_POST
def lock(request: HouseholdRequest) -> HttpResponse:
    """Take the key out of this browser; whoever's page asks, closing is always right."""
    person, sign_in_id = request.vault.person, request.vault.sign_in_id
    if (
        person is not None
        and sign_in_id is not None
        and not sessions.lock_surely(sign_in_id=sign_in_id, person_id=person.id)
    ):
        messages.warning(request, sentences.LOCKED_IN_MEMORY)
    response = _leave(request, to="unlock", trigger=LOCKED)
    clear_cache(response)
    return response


@require_POST
def sign_out(request: HouseholdRequest) -> HttpResponse:
    """End this browser's sign-in; whoever's page asks, leaving is always right."""
    person, sign_in_id = request.vault.person, request.vault.sign_in_id
    is_gone = True
    if person is not None and sign_in_id is not None:
        is_gone = sessions.end_surely(sign_in_id=sign_in_id, person_id=person.id)
    if is_gone or by_script(request):
        response = _leave(request, to="sign_in", trigger=SIGNED_OUT)
    else:
        said = {"title": "Signed out", "sentence": sentences.SIGNED_OUT_IN_MEMORY}
        response = render(request, "refused.html", said)
    forget_cookies(request, response)
    return response


def _leave(request: HouseholdRequest, *, to: str, trigger: str) -> HttpResponse:
    if by_script(request):
        return HttpResponse(status=204, headers={"HX-Trigger": trigger})
    if to == "sign_in":
        return redirect(reverse("sign_in"))
    return redirect(f"{reverse(to)}?{urlencode({'next': return_address.came_from(request)})}")
