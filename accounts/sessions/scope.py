"""Check of the credentials in an ASGI scope, and middleware that adds the person's vault for a WebSocket."""

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from channels.db import database_sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from accounts.http.request import NOBODY, RequestVault
from accounts.models import Person
from accounts.sessions.cookies import SessionCookie, get_cookie_name, parse_cookie
from accounts.sessions.services import find_person_id, open_session
from accounts.throttling import device_cookie

Scope = dict[str, Any]


def get_session_cookie(scope: Scope) -> SessionCookie | None:
    """Return the session cookie in an ASGI scope, or None."""
    return parse_cookie(get_cookie(scope, get_cookie_name(secure=scope.get("scheme") in ("https", "wss"))))


def get_cookie(scope: Scope, name: str) -> str:
    """Return the value of a cookie in an ASGI scope, or "" if there is no such cookie."""
    raw = b"; ".join(value for key, value in scope.get("headers", []) if key == b"cookie")
    try:
        morsel = SimpleCookie(raw.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def find_recognised_browser(scope: Scope, body: bytes) -> str:
    """If a recognised browser sent the request, return the browser's name in request queues, else "".

    A browser is recognised if it is signed in, or has a device cookie for the person named in the form.
    Requests of other browsers are queued by address, so that they cannot delay a recognised browser at the
    same address.
    """
    if person_id := find_person_id(get_session_cookie(scope)):
        return f"person {person_id}"
    device = get_cookie(scope, device_cookie.COOKIE_NAME)
    if not device:
        return ""
    try:
        name = QueryDict(body).get("name", "")
    except (SuspiciousOperation, UnicodeDecodeError):
        return ""
    person = Person.objects.find_by_name(str(name))
    return device_cookie.get_throttle_key(device, person_id=person.id) if person else ""


def find_signed_in_person(scope: Scope) -> str:
    """Return the id of the person who is signed in with the session cookie of an ASGI scope, or "".

    The diary of the person may be locked.
    """
    return str(find_person_id(get_session_cookie(scope)) or "")


# Each returns the owner of a valid credential in a request, or "". `accounts.apps` adds access tokens.
credential_openers: list[Callable[[Scope], str]] = [find_signed_in_person]


async def find_owner_of_credential(scope: Scope) -> str:
    """Return the owner of the valid credential in a request, or "" if there is none.

    The owner is the id of a person, or, for an access token, a name for all programs of one person.
    """
    return str(await database_sync_to_async(_open_credential)(scope))


def _open_credential(scope: Scope) -> str:
    return next((owner for opener in credential_openers if (owner := opener(scope))), "")


def reload_vault(cookie: SessionCookie | None) -> RequestVault:
    """Return the vault that the cookie opens now, without resetting the idle time."""
    return open_session(cookie, activity=False)


class VaultScopeMiddleware:
    """WebSocket middleware that sets `scope["vault"]` and `scope["session_cookie"]`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        cookie = get_session_cookie(scope)
        vault = await database_sync_to_async(reload_vault)(cookie) if cookie else NOBODY
        return await self.inner({**scope, "vault": vault, "session_cookie": cookie}, receive, send)
