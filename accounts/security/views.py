"""Pages on which a person changes their keys and account: new secrets, key rotation, reset, deletion."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts import error_messages
from accounts.auth.forms import ReauthenticationForm, ReplacePasswordForm
from accounts.auth.services.reauth import Reauthentication
from accounts.auth.views.login import set_session_cookie
from accounts.auth.views.reauth import with_reauthentication
from accounts.auth.views.recovery import show_recovery_code
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.rotation import background
from accounts.rotation.error_messages import get_refused_slot_message
from accounts.rotation.services import count_rows_of_destroyed_keys, get_rotation_progress
from accounts.security import services
from accounts.security.data_inventory import build_export_command, get_inventory
from accounts.security.deletion import delete_own_account
from accounts.security.services import SecurityChange
from accounts.sessions.cookies import delete_cookies
from accounts.throttling.device_cookie import delete_device_cookie

_METHODS = ["GET", "HEAD", "POST"]
# The URL is of an app above; without it the page names only the command.
_EXPORT_URL_NAME = "export"


@require_http_methods(_METHODS)
@unlock_required
def change_password(request: HouseholdRequest) -> HttpResponse:
    """Replace the password and the data key, and sign out other browsers."""
    form = ReplacePasswordForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(reauthentication: Reauthentication) -> HttpResponse:
        change = services.replace_password(reauthentication, new_password=form.cleaned_data["password"])
        messages.success(request, error_messages.NEW_PASSWORD_SAVED)
        _warn_refused_slots(request, change)
        return _set_new_cookie(request, redirect("settings"), change)

    return with_reauthentication(request, form, template="accounts/change_password.html", act=act)


@require_http_methods(_METHODS)
@unlock_required
def new_recovery_code(request: HouseholdRequest) -> HttpResponse:
    """Replace the recovery code and the data key, sign out other browsers, and show the new code once."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(reauthentication: Reauthentication) -> HttpResponse:
        change = services.replace_recovery_code(reauthentication)
        _warn_refused_slots(request, change)
        return _show_new_code(request, change)

    return with_reauthentication(request, form, template="accounts/new_recovery_code.html", act=act)


@require_http_methods(_METHODS)
@unlock_required
def rotate_key(request: HouseholdRequest) -> HttpResponse:
    """Rotate the data key, or show the progress of an unfinished rotation."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(reauthentication: Reauthentication) -> HttpResponse:
        change = services.rotate_data_key(reauthentication)
        messages.success(request, error_messages.KEY_ROTATED)
        _warn_refused_slots(request, change)
        return _set_new_cookie(request, redirect("rotate_key"), change)

    context = _build_progress_context(request)
    return with_reauthentication(request, form, template="accounts/rotate_key.html", act=act, context=context)


@require_http_methods(_METHODS)
@unlock_required
def reset_after_compromise_page(request: HouseholdRequest) -> HttpResponse:
    """Replace password, recovery code, data key and sessions at once, for a compromised account."""
    form = ReplacePasswordForm(request.POST if request.method == "POST" else None, person=request.user)

    def act(reauthentication: Reauthentication) -> HttpResponse:
        change = services.reset_after_compromise(reauthentication, new_password=form.cleaned_data["password"])
        _warn_refused_slots(request, change)
        _warn_withdrawn_hosts(request, change)
        return _show_new_code(request, change)

    return with_reauthentication(request, form, template="accounts/reset_after_compromise.html", act=act)


@require_GET
@unlock_required
def show_rotation_progress(request: HouseholdRequest) -> HttpResponse:
    """Return the fragment with the progress of a rotation, which the page polls."""
    context = {**_build_progress_context(request), "is_poll": True}
    return render(request, "accounts/fragments/rotation_progress.html", context)


@require_http_methods(_METHODS)
@unlock_required
def resume_key_rotation(request: HouseholdRequest) -> HttpResponse:
    """Resume an unfinished rotation.

    No password is asked for, since the person entered it when the rotation began.
    """
    if request.method == "POST":
        background.start_rotation_thread(request.vault.keyring)
    return redirect("rotate_key")


@require_http_methods(_METHODS)
@unlock_required
def delete_account(request: HouseholdRequest) -> HttpResponse:
    """Show the data that will be deleted and offer an export; with the right password, delete the account."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(reauthentication: Reauthentication) -> HttpResponse:
        delete_own_account(reauthentication)
        response = render(request, "accounts/account_deleted.html")
        delete_cookies(request, response)
        delete_device_cookie(response)
        return response

    context = {
        "inventory": get_inventory(request.user.id),
        "export": _get_export_url(),
        "export_command": build_export_command(request.user),
    }
    return with_reauthentication(
        request, form, template="accounts/delete_account.html", act=act, context=context
    )


def _build_progress_context(request: HouseholdRequest) -> dict[str, object]:
    """Return the progress of a rotation, or without one the number of rows whose data key was destroyed."""
    progress = get_rotation_progress(request.user.id)
    count = count_rows_of_destroyed_keys(request.user.id) if progress is None else 0
    return {"progress": progress, "damaged_count": count}


def _show_new_code(request: HouseholdRequest, change: SecurityChange) -> HttpResponse:
    code = change.recovery_code or ""
    response = show_recovery_code(request, request.user, code=code, following=reverse("settings"))
    return _set_new_cookie(request, response, change)


def _set_new_cookie(
    request: HouseholdRequest, response: HttpResponse, change: SecurityChange
) -> HttpResponse:
    """Set the new session cookie, if the change has created one."""
    if change.cookie is not None:
        set_session_cookie(request, response, change.cookie)
    return response


def _warn_refused_slots(request: HouseholdRequest, change: SecurityChange) -> None:
    for slot in change.refused_slots:
        messages.warning(request, get_refused_slot_message(slot))


def _warn_withdrawn_hosts(request: HouseholdRequest, change: SecurityChange) -> None:
    if change.withdrawn_hosts:
        names = [host.name for host in change.withdrawn_hosts]
        with_key = [host.name for host in change.withdrawn_hosts if host.has_key]
        messages.warning(request, error_messages.describe_withdrawn_hosts(names, with_key=with_key))


def _get_export_url() -> str:
    try:
        return reverse(_EXPORT_URL_NAME)
    except NoReverseMatch:
        return ""
