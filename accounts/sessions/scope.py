"""Sessions of WebSockets: ASGI middleware that adds the session's vault to the connection scope."""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from channels.db import database_sync_to_async

from accounts.http.request import NOBODY, RequestVault
from accounts.sessions.cookies import SessionCookie, get_cookie_name, parse_cookie
from accounts.sessions.services import open_session


def get_session_cookie(scope: dict[str, Any]) -> SessionCookie | None:
    """Return the session cookie of a handshake, or None."""
    return parse_cookie(get_cookie(scope, get_cookie_name(secure=scope.get("scheme") in ("https", "wss"))))


def get_cookie(scope: dict[str, Any], name: str) -> str:
    """Return the value of a cookie of a request or a handshake, or ""."""
    raw = b"; ".join(value for key, value in scope.get("headers", []) if key == b"cookie")
    try:
        morsel = SimpleCookie(raw.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def reload_vault(cookie: SessionCookie | None) -> RequestVault:
    """Return the vault that the cookie opens now; this does not count as activity for the idle limit."""
    return open_session(cookie, activity=False)


class VaultScopeMiddleware:
    """WebSocket middleware that sets `scope["vault"]` and `scope["session_cookie"]`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        cookie = get_session_cookie(scope)
        vault = await database_sync_to_async(reload_vault)(cookie) if cookie else NOBODY
        return await self.inner({**scope, "vault": vault, "session_cookie": cookie}, receive, send)
