"""The end of an account, by its owner."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.auth.forms import (
    ChangePasswordForm,
    NewRecoveryCodeForm,
    ReauthenticationForm,
    ReplacePasswordForm,
)
from accounts.auth.services.reauth import Reauthentication
from accounts.auth.views.login import set_session_cookie
from accounts.auth.views.reauth import with_reauthentication
from accounts.auth.views.recovery import show_recovery_code
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.rotation import background
from accounts.rotation import error_messages as words
from accounts.rotation import services as rotation_services
from accounts.security import data_inventory, deletion
from accounts.security import services as security_services
from accounts.security.services import SecurityChange
from accounts.sessions.cookies import delete_cookies
from accounts.throttling import device_cookie

# MERGED accounts.views.securing: A person's keys: a new password, a new recovery code, a new data key, and
# all three at once.

_METHODS = ["GET", "HEAD", "POST"]
_CHANGED = "Your password is changed. From now on it and your recovery code open your diary."
_ROTATED = "Your diary has a new key, and your other browsers are signed out."


@require_http_methods(_METHODS)
@unlock_required
def change_password(request: HouseholdRequest) -> HttpResponse:
    """Give the diary a new password; its other browsers and its data key may end with the old one."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(asked: Reauthentication) -> HttpResponse:
        chosen = form.cleaned_data
        secured = security_services.replace_password(
            asked, new_password=chosen["password"], end_others=chosen["end_others"], turn=chosen["turn"]
        )
        messages.success(request, _CHANGED)
        if chosen["turn"]:
            messages.success(request, _ROTATED)
        _warn_refused_slots(request, secured)
        return _set_new_cookie(request, redirect("rotate_key" if chosen["turn"] else "settings"), secured)

    return with_reauthentication(request, form, template="accounts/change_password.html", act=act)


@require_http_methods(_METHODS)
@unlock_required
def new_recovery_code(request: HouseholdRequest) -> HttpResponse:
    """Replace the recovery code and show the new one, once."""
    form = NewRecoveryCodeForm(request.POST if request.method == "POST" else None)

    def act(asked: Reauthentication) -> HttpResponse:
        secured = security_services.replace_recovery_code(asked, end_others=form.cleaned_data["end_others"])
        return _show_new_code(request, secured)

    return with_reauthentication(request, form, template="accounts/new_recovery_code.html", act=act)


@require_http_methods(_METHODS)
@unlock_required
def rotate_key(request: HouseholdRequest) -> HttpResponse:
    """Give the diary a new data key, and show how far that has come."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(asked: Reauthentication) -> HttpResponse:
        secured = security_services.rotate_data_key(asked)
        messages.success(request, _ROTATED)
        _warn_refused_slots(request, secured)
        return _set_new_cookie(request, redirect("rotate_key"), secured)

    context = {"standing": rotation_services.get_rotation_progress(request.user.id)}
    return with_reauthentication(request, form, template="accounts/rotate_key.html", act=act, context=context)


@require_http_methods(_METHODS)
@unlock_required
def reset_after_compromise_page(request: HouseholdRequest) -> HttpResponse:
    """Shut out whoever has an old password, code, copy or session: all of them are replaced at once."""
    form = ReplacePasswordForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(asked: Reauthentication) -> HttpResponse:
        secured = security_services.reset_after_compromise(asked, new_password=form.cleaned_data["password"])
        _warn_refused_slots(request, secured)
        return _show_new_code(request, secured)

    return with_reauthentication(request, form, template="accounts/reset_after_compromise.html", act=act)


@require_GET
@unlock_required
def rotation_progress(request: HouseholdRequest) -> HttpResponse:
    """Say how far a new data key has come; the page asks by itself until it is done."""
    context = {"standing": rotation_services.get_rotation_progress(request.user.id), "asked_again": True}
    return render(request, "accounts/fragments/rotation_progress.html", context)


@require_http_methods(_METHODS)
@unlock_required
def resume_key_rotation(request: HouseholdRequest) -> HttpResponse:
    """Go on with a new data key that was broken off; needs no password, since it is decided already."""
    if request.method == "POST":
        background.start(request.vault.keyring)
    return redirect("rotate_key")


def _show_new_code(request: HouseholdRequest, secured: SecurityChange) -> HttpResponse:
    code = secured.recovery_code or ""
    shown = show_recovery_code(request, request.user, code=code, following=reverse("settings"))
    return _set_new_cookie(request, shown, secured)


def _set_new_cookie(
    request: HouseholdRequest, response: HttpResponse, secured: SecurityChange
) -> HttpResponse:
    """Hand this browser its new half, where the one it had has ended with the other sessions."""
    if secured.cookie is not None:
        set_session_cookie(request, response, secured.cookie)
    return response


def _warn_refused_slots(request: HouseholdRequest, secured: SecurityChange) -> None:
    for slot in secured.refused_slots:
        messages.warning(request, words.get_refused_slot_message(slot))


# The apps above bring the page; without it the command alone is named.
_EXPORT_URL_NAME = "export"


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def delete_account(request: HouseholdRequest) -> HttpResponse:
    """Say what will go and offer to take it along; with the password, delete it all."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(asked: Reauthentication) -> HttpResponse:
        deletion.delete_own_account(asked)
        response = render(request, "accounts/account_deleted.html")
        delete_cookies(request, response)
        device_cookie.delete_device_cookie(response)
        return response

    context = {
        "holdings": data_inventory.get_inventory(request.user.id),
        "export": _get_export_url(),
        "export_command": data_inventory.build_export_command(request.user),
    }
    return with_reauthentication(
        request, form, template="accounts/delete_account.html", act=act, context=context
    )


def _get_export_url() -> str:
    try:
        return reverse(_EXPORT_URL_NAME)
    except NoReverseMatch:
        return ""
