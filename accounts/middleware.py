"""Opens the vault for one request, closes the keyring with the answer, and answers what was refused."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from accounts.decorators import redirect_to_login
from accounts.errors import RetryLater
from accounts.http import error_responses, headers
from accounts.http.request import NOBODY, RequestVault
from accounts.sessions.cookies import get_session_cookie
from accounts.sessions.services import open_session
from llamora.crypto import EnvelopeError, VaultLocked, in_force
from llamora.database import NotWritten

# Pages nobody signs in for, asked for often by things that are not people.
_WITHOUT_VAULT = ("/static/", "/healthz")
# Script says so when it asks by itself and nobody did anything: that must not move the idle limit.
POLL_HEADER = "X-Llamora-Poll"


def load_vault(request: HttpRequest) -> RequestVault:
    """Return the vault of the request's cookie."""
    if request.path.startswith(_WITHOUT_VAULT):
        return NOBODY
    cookie = get_session_cookie(request)
    return open_session(cookie, activity=POLL_HEADER not in request.headers) if cookie else NOBODY


class VaultMiddleware:
    """Sets `request.vault` and `request.user`, and puts the keyring in force while the view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        vault = load_vault(request)
        request.vault = vault  # type: ignore[attr-defined]
        request.user = vault.person or AnonymousUser()
        try:
            with in_force(vault.held):
                response = self.get_response(request)
        finally:
            if vault.held is not None:
                vault.held.close()
        return response


class SecurityHeadersMiddleware:
    """Gives every answer the headers of the house, those of Django's own refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers.set_default_headers(response)
        return response


class SecureCookiesMiddleware:
    """Keeps what came over https off plain http, while a household on its own machine needs neither."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class RefusalMiddleware:
    """Answers what a view could not do in a sentence, with what was typed still there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer to a refusal, or None for a fault of ours."""
        match exception:
            case NotWritten():
                return error_responses.render_not_written(request, exception)
            case VaultLocked():
                return redirect_to_login(request, to="unlock")
            case EnvelopeError():
                return error_responses.render_damaged(request)
            case RetryLater():
                return error_responses.render_too_soon(request, exception)
        return None
