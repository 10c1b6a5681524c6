"""The page on which a person creates, confirms and revokes their access tokens."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import error_messages
from accounts.auth.views.reauth import build_reauthentication
from accounts.decorators import unlock_required
from accounts.errors import AccountsError
from accounts.http.error_responses import FORM_INVALID, get_error_status, set_retry_after
from accounts.http.request import HouseholdRequest
from accounts.models import AccessToken
from accounts.rotation.error_messages import get_rotation_error_message
from accounts.sessions.cookies import get_session_cookie
from accounts.tokens import services
from accounts.tokens.forms import SCOPE_WORDS, TokenForm
from accounts.tokens.token_uses import token_uses

_FORM = ["GET", "HEAD", "POST"]


@require_http_methods(_FORM)
@unlock_required
def programs(request: HouseholdRequest) -> HttpResponse:
    """Show all tokens of this person and the form for a new one; show a new token once."""
    if request.method != "POST":
        return _render_page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _render_page(request, form, status=FORM_INVALID)
    try:
        text = _create_token(request, form)
    except AccountsError as error:
        is_wrong = error.code == "wrong"
        sentence = error_messages.REAUTHENTICATION_FAILED if is_wrong else get_rotation_error_message(error)
        form.add_error("current" if is_wrong else None, sentence)
        return set_retry_after(_render_page(request, form, status=get_error_status(error)), error)
    context = {
        "token": text,
        "name": form.cleaned_data["name"],
        "origin": _get_origin(request),
        "in_settings": True,
    }
    return render(request, "accounts/new_token.html", context)


def _create_token(request: HouseholdRequest, form: TokenForm) -> str:
    if form.needs_password:
        reauthentication = build_reauthentication(request, password=form.cleaned_data["current"])
        return services.create_token_with_password(reauthentication, form.build_token_request())
    return services.create_token(request.vault.keyring, form.build_token_request())


@require_http_methods(_FORM)
@unlock_required
def revoke_token(request: HouseholdRequest, token_id: UUID) -> HttpResponse:
    """Revoke one token of this person.

    A GET request, which comes after an unlock, is redirected to the list of tokens.
    """
    if request.method != "POST":
        return redirect("programs")
    cookie = get_session_cookie(request)
    if cookie is None:
        raise Http404
    try:
        is_rotated = services.revoke_token(
            request.vault.keyring, person=request.user, token_id=token_id, cookie=cookie
        )
    except AccessToken.DoesNotExist:
        raise Http404 from None
    except AccountsError as error:
        messages.warning(request, get_rotation_error_message(error))
    else:
        sentence = error_messages.PROGRAM_REVOKED_WITH_KEY if is_rotated else error_messages.PROGRAM_REVOKED
        messages.success(request, sentence)
    return redirect("programs")


@require_http_methods(_FORM)
@unlock_required
def confirm_token(request: HouseholdRequest, token_id: UUID) -> HttpResponse:
    """Let a suspended token work again, for instance after a backup was restored.

    A GET request is redirected to the list of tokens.
    """
    if request.method != "POST":
        return redirect("programs")
    try:
        is_confirmed = services.confirm_token(request.vault.keyring, token_id=token_id)
    except AccessToken.DoesNotExist:
        raise Http404 from None
    if is_confirmed:
        messages.success(request, error_messages.PROGRAM_CONFIRMED)
    else:
        messages.warning(request, error_messages.PROGRAM_NOT_CONFIRMED)
    return redirect("programs")


def _get_origin(request: HouseholdRequest) -> str:
    """Return the address at which this page was opened, which programs use too."""
    return f"{request.scheme}://{request.get_host()}"


def _render_page(request: HouseholdRequest, form: TokenForm, *, status: int = 200) -> HttpResponse:
    token_uses.write_all()
    context = {
        "tokens": services.list_tokens(request.vault.keyring),
        "scope_words": SCOPE_WORDS,
        "form": form,
        "origin": _get_origin(request),
        "in_settings": True,
    }
    return render(request, "accounts/programs.html", context, status=status)
