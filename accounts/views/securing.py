"""A person's keys: a new password, a new recovery code, a new data key, and all three at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts import rotation
from accounts.forms import ChangePasswordForm, NewCodeForm, NewSecretForm, ProveForm
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from accounts.rotation import background
from accounts.rotation import sentences as words
from accounts.services import securing
from accounts.services.securing import Asked, Secured
from accounts.turnstile import through_turnstile
from accounts.views.codes import show_code
from accounts.views.proving import proven
from accounts.views.staying import keep_cookie

_FORM = ["GET", "HEAD", "POST"]
_CHANGED = "Your password is changed. From now on it and your recovery code open your diary."
_TURNED = "Your diary has a new key, and your other browsers are signed out."


@require_http_methods(_FORM)
@unlocked
@through_turnstile
def change_password(request: HouseholdRequest) -> HttpResponse:
    """Give the diary a new password; its other browsers and its data key may end with the old one."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(asked: Asked) -> HttpResponse:
        chosen = form.cleaned_data
        secured = securing.change_password(
            asked, new_password=chosen["password"], end_others=chosen["end_others"], turn=chosen["turn"]
        )
        messages.success(request, _CHANGED)
        if chosen["turn"]:
            messages.success(request, _TURNED)
        _name_refused(request, secured)
        return _stay(request, redirect("key" if chosen["turn"] else "settings"), secured)

    return proven(request, form, template="accounts/change_password.html", act=act)


@require_http_methods(_FORM)
@unlocked
@through_turnstile
def new_code(request: HouseholdRequest) -> HttpResponse:
    """Replace the recovery code and show the new one, once."""
    form = NewCodeForm(request.POST if request.method == "POST" else None)

    def act(asked: Asked) -> HttpResponse:
        secured = securing.new_recovery_code(asked, end_others=form.cleaned_data["end_others"])
        return _code(request, secured)

    return proven(request, form, template="accounts/new_code.html", act=act)


@require_http_methods(_FORM)
@unlocked
@through_turnstile
def key(request: HouseholdRequest) -> HttpResponse:
    """Give the diary a new data key, and show how far that has come."""
    form = ProveForm(request.POST if request.method == "POST" else None)

    def act(asked: Asked) -> HttpResponse:
        secured = securing.turn_key(asked)
        messages.success(request, _TURNED)
        _name_refused(request, secured)
        return _stay(request, redirect("key"), secured)

    context = {"standing": rotation.standing(request.user.id)}
    return proven(request, form, template="accounts/key.html", act=act, context=context)


@require_http_methods(_FORM)
@unlocked
@through_turnstile
def had_my_key(request: HouseholdRequest) -> HttpResponse:
    """Shut out whoever has an old password, code, copy or session: all of them are replaced at once."""
    form = NewSecretForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(asked: Asked) -> HttpResponse:
        secured = securing.somebody_had_my_key(asked, new_password=form.cleaned_data["password"])
        _name_refused(request, secured)
        return _code(request, secured)

    return proven(request, form, template="accounts/had_my_key.html", act=act)


@require_GET
@unlocked
def key_progress(request: HouseholdRequest) -> HttpResponse:
    """Say how far a new data key has come; the page asks by itself until it is done."""
    context = {"standing": rotation.standing(request.user.id), "asked_again": True}
    return render(request, "accounts/fragments/key_progress.html", context)


@require_http_methods(_FORM)
@unlocked
def key_go_on(request: HouseholdRequest) -> HttpResponse:
    """Go on with a new data key that was broken off; needs no password, since it is decided already."""
    if request.method == "POST":
        background.start(request.vault.keyring)
    return redirect("key")


def _code(request: HouseholdRequest, secured: Secured) -> HttpResponse:
    code = secured.recovery_code or ""
    shown = show_code(request, request.user, code=code, following=reverse("settings"))
    return _stay(request, shown, secured)


def _stay(request: HouseholdRequest, response: HttpResponse, secured: Secured) -> HttpResponse:
    """Hand this browser its new half, where the one it had has ended with the other sessions."""
    if secured.cookie is not None:
        keep_cookie(request, response, secured.cookie)
    return response


def _name_refused(request: HouseholdRequest, secured: Secured) -> None:
    for slot in secured.refused:
        messages.warning(request, words.refused_slot(slot))
