"""The page on which a person gives and withdraws consents to remote hosts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import error_messages
from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import reauthenticate
from accounts.auth.views.reauth import build_reauthentication
from accounts.decorators import unlock_required
from accounts.errors import AccountsError
from accounts.http.error_responses import FORM_INVALID, get_error_status, set_retry_after
from accounts.http.request import HouseholdRequest
from accounts.preferences.time_zones import load_time_zone
from accounts.remote_hosts import services
from accounts.remote_hosts.services import HostRefused
from llamora.inference import model_server

# Returns a message for people.
Action = Callable[[HouseholdRequest, str], str]


@sensitive_post_parameters("key", "current")
@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def remote_hosts(request: HouseholdRequest) -> HttpResponse:
    """Show the hosts to which a person's texts are sent; save or delete a consent or an API key.

    Saving either requires the password, because it decides to whom later texts of the person are sent.
    """
    if request.method != "POST":
        return _render_page(request, ReauthenticationForm())
    name, host = request.POST.get("act", ""), request.POST.get("host", "")
    act, form = _ACTIONS.get(name), ReauthenticationForm(request.POST if name in _NEEDING_PASSWORD else None)
    if act is None:
        refusal = "Press one of the buttons on this page."
        return _render_page(request, form, refusal=refusal, status=FORM_INVALID)
    if form.is_bound and not form.is_valid():
        return _render_page(request, form, status=FORM_INVALID)
    try:
        with _check_password(request, form):
            sentence = act(request, host)
    except HostRefused as refused:
        return _render_page(request, form, refusal=str(refused), code=refused.code, status=FORM_INVALID)
    except AccountsError as error:
        is_wrong = error.code == "wrong"
        said = error_messages.REAUTHENTICATION_FAILED if is_wrong else error_messages.get_error_message(error)
        form.add_error("current" if is_wrong else None, said)
        return set_retry_after(_render_page(request, form, status=get_error_status(error)), error)
    messages.success(request, sentence)
    return redirect("remote_hosts")


@contextmanager
def _check_password(request: HouseholdRequest, form: ReauthenticationForm) -> Iterator[None]:
    """Check the password if the action requires one; raise an AccountsError if it is wrong."""
    if not form.is_bound:
        yield
        return
    with reauthenticate(build_reauthentication(request, password=form.cleaned_data["current"])):
        yield


def _render_page(
    request: HouseholdRequest,
    form: ReauthenticationForm,
    *,
    refusal: str = "",
    code: str = "",
    status: int = 200,
) -> HttpResponse:
    model, hosts = model_server.get_status(), services.list_hosts(request.user.id)
    context = {
        "in_settings": True,
        "form": form,
        "refusal": refusal,
        "is_key_refused": code == "bad_key",
        "model": model,
        "host": model.host,
        "agreed": next((host for host in hosts if host.name == model.host), None),
        "others": [host for host in hosts if host.name != model.host],
    }
    return render(request, "accounts/remote_hosts.html", context, status=status)


def _agree(request: HouseholdRequest, host: str) -> str:
    _check_is_current(host)
    services.agree(
        request.user.id, host, on=timezone.localdate(timezone=load_time_zone(request.user.time_zone))
    )
    return f"Your texts may be sent to {host} from now on."


def _withdraw(request: HouseholdRequest, host: str) -> str:
    services.withdraw(request.user.id, host)
    return "Nothing of yours is sent there any more. Your key for it, if there was one, is deleted."


def _save_key(request: HouseholdRequest, host: str) -> str:
    origin = _check_is_current(host)
    services.save_key(request.user.id, host, origin=origin, key=request.POST.get("key", ""))
    return "Your key is saved, encrypted."


def _delete_key(request: HouseholdRequest, host: str) -> str:
    services.delete_key(request.user.id, host)
    return "Your key is deleted."


def _check_is_current(host: str) -> str:
    """Return the origin of the model's server; raise HostRefused if it is not on the host of the page."""
    model = model_server.get_status()
    if not host or model.host != host:
        raise HostRefused("other_host")
    return model.origin


# By the value of the button.
_ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {"agree": _agree, "withdraw": _withdraw, "save_key": _save_key, "delete_key": _delete_key}
)
_NEEDING_PASSWORD: Final = frozenset({"agree", "save_key"})
