"""WebSocket routes; handshakes from other origins are refused."""

from typing import Any
from urllib.parse import urlsplit

from channels.routing import URLRouter
from django.conf import settings
from django.http.request import validate_host
from django.urls import re_path

from accounts.sessions.scope import VaultScopeMiddleware
from diary.live.consumers import websocket_urlpatterns

Scope = dict[str, Any]


async def reject_handshake(_scope: Scope, _receive: Any, send: Any) -> None:
    """Refuse a WebSocket handshake; the server answers 403."""
    await send({"type": "websocket.close"})


def is_same_origin(scope: Scope) -> bool:
    """Return whether a handshake comes from a page of this server.

    Cookies are shared between ports, so a page of another program on this machine would send our cookies.
    Therefore the Origin must have this server's scheme, host and port, or be in `CSRF_TRUSTED_ORIGINS`. This
    is Django's rule for forms.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin1")
    host = headers.get(b"host", b"").decode("latin1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        hostname = parts.hostname or ""
    except ValueError:
        return False
    domain = f"[{hostname}]" if ":" in hostname else hostname
    return (
        parts.scheme == ("https" if scope.get("scheme") in ("https", "wss") else "http")
        and parts.netloc == host
        and validate_host(domain, settings.ALLOWED_HOSTS)
    )


class SameOriginOnly:
    """ASGI middleware that refuses WebSocket handshakes from other origins."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await (self.inner if is_same_origin(scope) else reject_handshake)(scope, receive, send)


# Django's types know only views; channels puts socket applications in their place.
reject_unknown_paths: Any = reject_handshake
websocket_application = SameOriginOnly(
    VaultScopeMiddleware(URLRouter([*websocket_urlpatterns, re_path(r"", reject_unknown_paths)]))
)
