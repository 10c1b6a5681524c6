"""Middleware: loads the vault, sets security headers, secures cookies, and renders expected errors."""

from collections.abc import Callable

from csp.utils import build_policy
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from accounts.decorators import redirect_to_login
from accounts.errors import RetryLater
from accounts.http import error_responses, headers
from accounts.http.request import NOBODY, RequestVault
from accounts.keys import row_shapes
from accounts.sessions.cookies import get_session_cookie
from accounts.sessions.services import open_session
from llamora.crypto import EnvelopeError, VaultLocked, in_force
from llamora.database import NotWritten

# Paths that need no session: some are requested often, and programs have a token instead.
_WITHOUT_VAULT = ("/static/", "/healthz", "/health", "/api/", "/mcp")
# Sent by scripts with requests that no person made; these must not extend the idle limit.
POLL_HEADER = "X-Llamora-Poll"


def load_vault(request: HttpRequest) -> RequestVault:
    """Return the vault that the request's session cookie opens."""
    if request.path.startswith(_WITHOUT_VAULT):
        return NOBODY
    cookie = get_session_cookie(request)
    return open_session(cookie, activity=POLL_HEADER not in request.headers) if cookie else NOBODY


class VaultMiddleware:
    """Middleware that sets `request.vault` and `request.user`, and puts the keyring in force for the view."""

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
    """Middleware that sets our default headers on every response, including Django's own error responses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers.set_default_headers(response)
        return response


class ContentPolicyMiddleware:
    """Middleware that sets the content security policy of pages, which is the same on all of them.

    The middleware of django-csp composes it anew for each response, although no view changes it here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response, self._policy = get_response, build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        return response


class SecureCookiesMiddleware:
    """Middleware that marks all cookies as secure if the request came over https."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class RefusalMiddleware:
    """Middleware that turns expected errors into pages with a message and the text that was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response to an expected error, or None for any other error."""
        match exception:
            case NotWritten():
                return error_responses.render_not_written(request, exception)
            case VaultLocked():
                return redirect_to_login(request, to="unlock")
            case EnvelopeError():
                return error_responses.render_damaged(request)
            case RetryLater():
                return error_responses.render_too_soon(request, exception)
        if row_shapes.is_caused_by_damage(exception):
            return error_responses.render_damaged(request)
        return None
