"""Who may send a long body: those whose credential opens something, which is looked up before it is read."""

from collections.abc import Callable, Sequence

from channels.db import database_sync_to_async

from accounts.sessions.scope import get_session_cookie
from accounts.sessions.services import find_person_id
from llamora.ops.server.proxies import Header

Scope = dict[str, object]
Opener = Callable[[Scope], str]


def open_session_cookie(scope: Scope) -> str:
    """Return the person whose sign-in the session cookie belongs to, or ""; the diary may be locked."""
    person_id = find_person_id(get_session_cookie(scope))
    return str(person_id or "")


# Each returns a holder, or "" if the request has no credential of its kind that opens; a token has its place
# here.
openers: list[Opener] = [open_session_cookie]


async def find_holder(headers: Sequence[Header], *, is_secure: bool) -> str:
    """Return the holder of the first credential in a request's headers that opens, or ""."""
    scope: Scope = {
        "headers": [(name.lower(), value) for name, value in headers],
        "scheme": "https" if is_secure else "http",
    }
    return str(await database_sync_to_async(_open_first)(scope))


def _open_first(scope: Scope) -> str:
    return next((holder for opener in openers if (holder := opener(scope))), "")
