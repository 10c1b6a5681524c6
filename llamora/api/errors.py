"""Error responses of the API: a status, a code that never changes, and a sentence that says what to do.

    400  malformed_json, unreadable               409  revision_conflict, idempotency_key_reused, damaged,
    401  invalid_token                                 inbox_full, conflict_detected, nothing_to_undo,
                                                       too_many_proposals, path_taken, too_many_notes
    403  missing_scope, token_in_url,             413  too_large          415  unsupported_media_type
         plain_http, foreign_origin, own_note,    422  invalid_field      423  locked
    404  not_found                                429  too_many_calls, too_many_attempts
    405  method_not_allowed                       500  failed             503  not_saved, busy, starting,
    408  too_slow     411  length_required                            not_answered

No error repeats what was sent, neither values nor the names of unknown fields. `field` is always a name from
the OpenAPI description.
"""

import math
from datetime import UTC
from typing import Any, Final

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone

from accounts.errors import AccountsError, InvalidToken, KeysDoNotMatch, RetryLater, TooManyCalls
from accounts.keys import row_shapes
from diary.entries.text_validation import InvalidText
from diary.errors import DayNotBegun, EditConflict, InboxFull
from diary.notes.errors import (
    InvalidNotePath,
    NoteConflict,
    NoteDamaged,
    NoteError,
    NotePathTaken,
    NoteProtected,
    TooManyNotes,
)
from llamora.crypto import EnvelopeError, VaultLocked
from llamora.database import NotWritten
from llamora.database.errors import is_file_damaged

# Beginnings of the paths of programs, to which errors are answered in JSON.
PROGRAM_PATHS: Final = ("/api/", "/mcp")
_SECONDS_AFTER_FAILED_SAVE: Final = 5

TITLES: Final = {
    400: "Bad request",
    401: "No valid token",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    411: "Length required",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid",
    423: "Locked",
    429: "Too many calls",
    500: "Failed",
    503: "Try again later",
}
SENTENCES: Final = {
    "malformed_json": "The body is not JSON in UTF-8. Send an object with the fields of this call.",
    "unreadable": "This request could not be read. Nothing was changed.",
    "invalid_token": (
        "Send a valid access token in the header Authorization, after the word Bearer. Its owner makes one "
        "under Settings, Programs."
    ),
    "missing_scope": "This token may not do that. Its owner can make another one that may.",
    "token_in_url": (
        "A token is never sent in an address, which programs write into their logs. Revoke it, make another "
        "one, and send that in the header Authorization."
    ),
    "plain_http": "From another machine, send tokens over https only. Revoke this one if it was sent before.",
    "foreign_origin": (
        "This was sent by a page of another site, or to a name that is not listed as one of this server. Its "
        "administrator lists pages in LLAMORA_API_ORIGINS, and names in LLAMORA_HOSTS."
    ),
    "own_text_only": (
        'Only a program that writes what its owner types may change a text. Make a token with "It writes '
        'what I type".'
    ),
    "not_found": "There is no such thing, or it belongs to another person.",
    "method_not_allowed": "This address does not take that method; the header Allow names those it takes.",
    "revision_conflict": "The text was changed meanwhile. Read it again, and send its new revision.",
    "idempotency_key_reused": "This Idempotency-Key came before with something else. Use a new one for each.",
    "damaged": "What was asked for is damaged on the disk and can't be read.",
    "conflict_detected": "This touches an accepted fact. Send a strategy that says what becomes of that one.",
    "nothing_to_undo": "Of this fact no change can be undone, or another that it touched was changed since.",
    "too_many_proposals": (
        "Too many proposed facts wait. Their owner accepts or declines some; then try again."
    ),
    "own_note": (
        "This note is its owner's own. Only a program that writes what they type may change or delete it. "
        "Save your text under another path."
    ),
    "path_taken": "A note or a folder has this path already. Choose another one, or change the note at it.",
    "too_many_notes": "There are as many notes as there can be. Their owner deletes some; then try again.",
    "inbox_full": "The Inbox is full. Its owner accepts or deletes what waits there; then try again.",
    "too_large": "This is too large, so nothing was saved.",
    "too_slow": "The body did not arrive in time. Nothing was changed; send it again.",
    "length_required": "Send the length of the body in the header Content-Length. Nothing was changed.",
    "unsupported_media_type": "Send the body as application/json.",
    "unknown_field": "There is a field that this call does not have.",
    "invalid_field": "This field has a value that it can't have; the description says which it takes.",
    "locked": "The diary is locked. Its owner unlocks it in a browser; then try again.",
    "too_many_calls": "This program calls too often. Wait as long as Retry-After says.",
    "too_many_attempts": "Too many tokens from here were wrong. Wait as long as Retry-After says.",
    "failed": "Something went wrong here, not with what was sent. The log of the server says what.",
    "not_saved": "This could not be saved; nothing was changed. Try again later.",
    "busy": "The server is busy. Try again in a few seconds.",
    "starting": "The index of this diary is being opened. Try again in a few seconds.",
    "not_answered": "The model did not write an answer. Try again later.",
}


class ErrorBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON body of every error response."""

    error: str
    error_code: str
    message: str
    timestamp: str
    field: str = ""
    scope: str = ""
    revision: int | None = None


class ApiError(Exception):
    """Raised to refuse a call, with a status and a code; `message` replaces the code's usual sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        message: str = "",
        field: str = "",
        scope: str = "",
        revision: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or SENTENCES[code]
        self.field, self.scope, self.revision = field, scope, revision
        self.headers = headers or {}

    def build_body(self) -> ErrorBody:
        """Return the JSON body of the response to this error."""
        return ErrorBody(
            error=TITLES[self.status],
            error_code=self.code,
            message=self.message,
            timestamp=timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
            field=self.field,
            scope=self.scope,
            revision=self.revision,
        )

    def build_response(self) -> HttpResponse:
        """Return the response to this error."""
        body = msgspec.json.encode(self.build_body())
        return HttpResponse(body, status=self.status, content_type="application/json", headers=self.headers)


def translate_error(error: Exception) -> ApiError | None:
    """Return the ApiError for an expected exception, or None for an unexpected one."""
    found: ApiError | None = None
    match error:
        case ApiError():
            found = error
        case InvalidToken():
            found = ApiError(401, "invalid_token", headers={"WWW-Authenticate": "Bearer"})
        case RetryLater():
            code = "too_many_calls" if isinstance(error, TooManyCalls) else "too_many_attempts"
            found = ApiError(429, code, headers=_wait(error.retry_after))
        case VaultLocked() | KeysDoNotMatch():
            found = ApiError(423, "locked")
        case AccountsError():
            found = ApiError(503, "busy", headers=_wait(_SECONDS_AFTER_FAILED_SAVE))
        case Http404():
            found = ApiError(404, "not_found")
        case NotWritten():
            found = ApiError(503, "not_saved", headers=_wait(_SECONDS_AFTER_FAILED_SAVE))
        case EditConflict():
            found = ApiError(409, "revision_conflict", revision=_get_revision(error))
        case DayNotBegun():
            found = ApiError(422, "invalid_field", field="day", message=error.sentence)
        case InvalidText():
            found = ApiError(422, "invalid_field", field="text", message=error.sentence)
        case NoteError():
            found = _translate_note_error(error)
        case InboxFull():
            found = ApiError(409, "inbox_full")
        case EnvelopeError():
            found = ApiError(409, "damaged")
        case _ if is_file_damaged(error) or row_shapes.is_caused_by_damage(error):
            found = ApiError(409, "damaged")
    return found


def _translate_note_error(error: NoteError) -> ApiError:
    match error:
        case NoteConflict():
            return ApiError(409, "revision_conflict", revision=_get_revision(error))
        case NotePathTaken():
            return ApiError(409, "path_taken")
        case TooManyNotes():
            return ApiError(409, "too_many_notes")
        case NoteProtected():
            return ApiError(403, "own_note")
        case NoteDamaged():
            return ApiError(409, "damaged")
    field = "path" if isinstance(error, InvalidNotePath) else "text"
    return ApiError(422, "invalid_field", field=field, message=error.sentence)


def build_refusal_of_body(status: int) -> ApiError:
    """Return the error for a request whose body was not read: 401, 408, 411, 413, 429 or 503."""
    codes = {
        401: "invalid_token",
        408: "too_slow",
        411: "length_required",
        413: "too_large",
        429: "too_many_calls",
    }
    return ApiError(status, codes.get(status, "busy"))


def _wait(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _get_revision(conflict: EditConflict | NoteConflict) -> int | None:
    revision: Any = getattr(conflict.row, "revision", None)
    return revision if isinstance(revision, int) else None
