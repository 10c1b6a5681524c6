"""Calls about notes; their responses are unparsed JSON objects.

Both clients can send them, as in `diary.send(note_calls.list_page())`.
"""

from typing import Any, Final

from llamora.client.calls import ApiCall, format_id

NoteObject = dict[str, Any]
NOTE_KINDS: Final = ("persona", "remember", "requests", "reference", "skill", "file")
_PATH: Final = "/api/v1/notes"


def list_page(
    *, kind: str | None = None, limit: int | None = None, offset: int | None = None
) -> ApiCall[NoteObject]:
    """Return the call for one page of notes, of one kind or of all."""
    named = {"kind": kind, "limit": limit, "offset": offset}
    query = {name: str(value) for name, value in named.items() if value is not None}
    return ApiCall(method="GET", path=_PATH, query=query, parse=_parse_object, is_idempotent=True)


def search(path: str, *, is_exact: bool = False) -> ApiCall[NoteObject]:
    """Return the call that finds notes by a part of their paths, or one note by its whole path."""
    body = {"path": path, "is_exact": is_exact}
    return ApiCall(method="POST", path=f"{_PATH}/search", body=body, parse=_parse_object, is_idempotent=True)


def get(note_id: object) -> ApiCall[NoteObject]:
    """Return the call for a note with its text."""
    return ApiCall(
        method="GET", path=f"{_PATH}/{format_id(note_id)}", parse=_parse_object, is_idempotent=True
    )


def save(path: str, text: str) -> ApiCall[NoteObject]:
    """Return the call that saves a new note; the same text at the same path is saved once."""
    return ApiCall(
        method="POST",
        path=_PATH,
        body={"path": path, "text": text},
        parse=_parse_object,
        is_idempotent=True,
    )


def change(
    note_id: object, *, revision: int, text: str | None = None, path: str | None = None
) -> ApiCall[NoteObject]:
    """Return the call that changes the text or path of a note, if its revision is still `revision`."""
    named = {"revision": revision, "text": text, "path": path}
    body = {name: value for name, value in named.items() if value is not None}
    return ApiCall(method="PATCH", path=f"{_PATH}/{format_id(note_id)}", body=body, parse=_parse_object)


def delete(note_id: object) -> ApiCall[NoteObject]:
    """Return the call that deletes a note for good."""
    return ApiCall(method="DELETE", path=f"{_PATH}/{format_id(note_id)}", parse=_parse_object)


def _parse_object(value: Any) -> NoteObject:
    return value if isinstance(value, dict) else {"items": value}
