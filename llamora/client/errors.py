"""Errors of the client, each with a sentence that says what to do.

    LlamoraError
      AddressRefused         the address is invalid, or a token would cross a network unencrypted
      AuthenticationError    401  the access token is wrong, expired or revoked
      PermissionDenied       403  the token was not made for this
      Locked                 423  the diary has to be unlocked in a browser first
      RateLimited            429  too many calls; `retry_after` says for how many seconds
      Invalid                400, 413, 415, 422 and others: the call itself is wrong, in its `field`
      NotFound               404  the object does not exist, or belongs to another person
      Conflict               409  it was changed meanwhile (`revision`), or a key was used for another text
      ServerError            5xx  the server has a problem
        UnexpectedAnswer          the response is not from Llamora, or from an unknown version
      NetworkError                no server was reached, or the connection ended before its answer did
        Timeout                   no answer came in time

`code` is the server's `error_code`, which never changes, or a code of the client itself. No error contains an
access token or diary text: if a sentence of the server repeats a part of the request, it is replaced.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

# The names are those of the interface; the code is the stable contract.
# ruff: noqa: N818

MAX_MESSAGE: Final = 500
# A server's sentence that has this many characters in a row of what was sent is not shown.
MAX_QUOTED: Final = 24
MIN_QUOTED: Final = 8
_CODE = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,80}")


class LlamoraError(Exception):
    """Base class of all errors of the client.

    `code` is a stable word and `status` the HTTP status or None. `field` is the invalid part of a call,
    `scope` the missing scope, `retry_after` a number of seconds, `revision` the current revision of the
    entry.

    >>> with Llamora(url, token="llamora_of_another_diary") as diary:
    ...     try:
    ...         diary.get_day("2026-01-05")
    ...     except LlamoraError as error:
    ...         print(type(error).__name__, error.code, error.status)
    AuthenticationError invalid_token 401
    """

    code = "error"
    # Whether the same call may work a moment later.
    is_temporary = False

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        field: str | None = None,
        scope: str | None = None,
        retry_after: float | None = None,
        revision: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status
        self.field = field
        self.scope = scope
        self.retry_after = retry_after
        self.revision = revision


class AddressRefused(LlamoraError, ValueError):
    """Raised for an invalid address, or one to which a token would be sent unencrypted."""

    code = "address_refused"


class AuthenticationError(LlamoraError):
    """Raised for a token that is wrong, expired or revoked; the server does not say which."""

    code = "invalid_token"


class PermissionDenied(LlamoraError):
    """Raised if the token lacks a scope, which `scope` names."""

    code = "missing_scope"


class Locked(LlamoraError):
    """Raised while the diary is locked: unlock it in a browser, and call again."""

    code = "locked"


class RateLimited(LlamoraError):
    """Raised after too many calls; `retry_after` is the number of seconds to wait, or None."""

    code = "too_many_calls"
    is_temporary = True


class Invalid(LlamoraError):
    """Raised for a call with a wrong value; `field` is the name of the field with this value."""

    code = "invalid_field"


class NotFound(LlamoraError):
    """Raised if the object does not exist or belongs to another person."""

    code = "not_found"


class Conflict(LlamoraError):
    """Raised if the entry was changed since it was read, or an idempotency key was used for another text."""

    code = "revision_conflict"


class ServerError(LlamoraError):
    """Raised if the server failed."""

    code = "server_error"


class UnexpectedAnswer(ServerError):
    """Raised for a response that Llamora would not send: a redirect, a web page, or unexpected JSON."""

    code = "unexpected_answer"


class NetworkError(LlamoraError):
    """Raised if the server was not reached, or the connection ended before the response was complete."""

    code = "no_connection"
    is_temporary = True


class Timeout(NetworkError):
    """Raised if the server did not answer in time."""

    code = "timeout"


_CLASSES: Final[Mapping[int, type[LlamoraError]]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    423: Locked,
    429: RateLimited,
}
# The server's codes, for an error that comes inside a stream and has no status.
_STATUSES: Final[Mapping[str, int]] = {
    "invalid_token": 401,
    "missing_scope": 403,
    "own_text_only": 403,
    "not_found": 404,
    "revision_conflict": 409,
    "idempotency_key_reused": 409,
    "too_large": 413,
    "invalid_field": 422,
    "locked": 423,
    "too_many_calls": 429,
    "not_saved": 503,
    "starting": 503,
    "busy": 503,
}
_SENTENCES: Final[Mapping[int, str]] = {
    400: "The server did not understand the call.",
    401: "The access token is wrong, expired or revoked. Make another one under Settings, Programs.",
    403: "The access token does not allow this. Make one that does under Settings, Programs.",
    404: "The server has nothing at this address: it does not exist, or this version does not have it.",
    405: "The server does not have this call. It may be an older version.",
    409: "It was changed meanwhile. Read it again, and then change it.",
    413: "The text is too long for the server.",
    415: "The server did not understand the call.",
    422: "The server did not accept a value of the call.",
    423: "The diary is locked. Unlock it in a browser, and try again.",
    429: "There were too many calls. Wait a moment, and try again.",
    503: "The server can't do this at the moment. Try again in a moment.",
}
# A gateway says so of a server that starts or is busy, and Llamora itself while it can't save.
_TEMPORARY: Final = frozenset({502, 503, 504})


def build_error(
    status: int | None,
    body: Any,
    *,
    secrets: Iterable[str] = (),
    retry_after: float | None = None,
) -> LlamoraError:
    """Return the error for a response.

    `body` is its decoded JSON, or any other value. `secrets` are the texts of the request, which the error
    must not contain.
    """
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    sent = list(secrets)
    code = _read_code(given.get("error_code"), sent) or ""
    if status is None:
        status = _STATUSES.get(code, 500)
    kind = _CLASSES.get(status) or (ServerError if status >= 500 else Invalid)
    revision = given.get("revision")
    error = kind(
        _read_message(given.get("message"), sent)
        or _SENTENCES.get(status)
        or ("The server reported an error." if status >= 500 else "The server refused the call."),
        code=code,
        status=status,
        field=_read_code(given.get("field"), sent),
        scope=_read_code(given.get("scope"), sent),
        retry_after=retry_after,
        revision=revision if isinstance(revision, int) else None,
    )
    if status in _TEMPORARY:
        error.is_temporary = True
    return error


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of the header Retry-After, given as a number or a date; None without it.

    A date is compared with the Date header of the same response, so the clocks need not agree.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)


def _read_code(value: object, secrets: list[str]) -> str | None:
    """Return a name that a program gave; None for anything that may be a text."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        return None
    return None if any(_is_quoted(secret, value) for secret in secrets) else value


def _read_message(value: object, secrets: list[str]) -> str:
    """Return the server's sentence as one line; empty if there is none, or if it repeats what was sent."""
    if not isinstance(value, str):
        return ""
    line = " ".join(clean_line(value[:MAX_MESSAGE]).split())
    return "" if any(_is_quoted(secret, line) for secret in secrets) else line


def clean_line(text: str) -> str:
    """Return a text without control characters and direction marks, for a terminal."""
    return "".join(one if unicodedata.category(one) not in ("Cc", "Cf", "Cs") else " " for one in text)


def _is_quoted(secret: str, line: str) -> bool:
    """Return whether a line has a part of a secret."""
    secret = " ".join(clean_line(secret).split())
    if len(secret) <= MAX_QUOTED:
        return len(secret) >= MIN_QUOTED and secret in line
    last = len(line) - MAX_QUOTED
    return any(line[start : start + MAX_QUOTED] in secret for start in range(last + 1))
