"""Rows of drafts that arrived while their owner's diary was locked: sealing, checking and opening them.

The browser that sends a draft adds a MAC over its box and its context (see `llamora.crypto.locked_vaults`):

    box   crypto.seal_to of {"text": text, "based_on": revision of the entry or note, or null} in JSON, UTF-8;
          for a draft of a note, "path" as well
    mac   crypto.compute_draft_mac with the browser's key

    context   purpose "late_draft", label "diary.late_draft.box", row, owner; bound: day, entry if there is
              one, note if it is of one (empty for a new one), sign-in, revision, follows

Rows older than format 2 have no sign-in and no MAC, and the JSON in their box has a revision too. Whoever can
write to the database can insert any row. So rows are read through `list_ids`, which returns only rows of a
valid shape, and the content of a box is trusted only after its MAC was checked.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.keys.browser_keys import OpenedBrowserKey
from accounts.keys.key_pairs import VaultKeyPair
from accounts.keys.row_shapes import build_damage_condition
from diary.drafts.services import MAX_DRAFT_LENGTH
from diary.entries.text_validation import InvalidText, clean_draft_text
from diary.models import LateDraft
from llamora.crypto import (
    Context,
    EnvelopeError,
    NotAuthentic,
    check_draft_mac,
    compute_draft_mac,
    open_sealed,
    seal_to,
)
from llamora.database import write_transaction
from llamora.fields.sealed import encode_bound_value

# Six bytes for each character of the longest draft, as JSON writes control characters, and padding.
MAX_BOX = 7 * MAX_DRAFT_LENGTH
_MAX_REVISION = 2**31 - 1
_TABLE = LateDraft._meta.db_table


@dataclass(frozen=True, kw_only=True)
class LateText:
    """The decrypted content of a late draft, which is a draft that arrived while the diary was locked."""

    text: str = field(repr=False)
    based_on: int | None
    # What was typed as the name of a note.
    path: str = field(default="", repr=False)


def seal_row(late: LateDraft, content: LateText, *, public_key: bytes, browser_key: bytes) -> None:
    """Encrypt the content into `late.box` and set `late.mac`; all other columns must be set before."""
    context = _build_context(late)
    body: dict[str, object] = {"text": content.text, "based_on": content.based_on}
    if late.is_of_note:
        body["path"] = content.path
    late.box = seal_to(public_key, json.dumps(body, ensure_ascii=False).encode(), context=context)
    late.mac = compute_draft_mac(browser_key, box=late.box, context=context)


def is_sent_by(late: LateDraft, *, sign_in_id: UUID, browser_key: bytes) -> bool:
    """Return whether a late draft is from the browser with this key, and was not changed since."""
    if late.sign_in_id != sign_in_id or late.mac is None:
        return False
    try:
        check_draft_mac(browser_key, bytes(late.mac), box=bytes(late.box), context=_build_context(late))
    except NotAuthentic:
        return False
    return True


def find_sender(late: LateDraft, keys: Iterable[OpenedBrowserKey]) -> OpenedBrowserKey | None:
    """Return the key of the browser in which a late draft was typed, or None if this key is not in `keys`."""
    return next(
        (key for key in keys if is_sent_by(late, sign_in_id=key.sign_in_id, browser_key=key.secret)), None
    )


def open_text(late: LateDraft, pairs: Iterable[VaultKeyPair]) -> LateText | None:
    """Return the decrypted content of a row, or None if no key pair opens it or the content is invalid.

    The key pair to which it was sealed may be older than the current one. The public key is no secret, so the
    content may be from anyone: check the sender with `is_sent_by`.
    """
    context = _build_context(late)
    for pair in pairs:
        try:
            return _parse_body(open_sealed(pair.private, pair.public, bytes(late.box), context=context))
        except EnvelopeError:
            continue
    return None


def _parse_body(plaintext: bytes) -> LateText | None:
    try:
        body: Any = json.loads(plaintext)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    text, based_on, path = body.get("text"), body.get("based_on"), body.get("path", "")
    if not isinstance(text, str) or not isinstance(path, str) or not _is_revision(based_on):
        return None
    try:
        text, path = (clean_draft_text(each, limit=MAX_DRAFT_LENGTH) for each in (text, path))
        return LateText(text=text, path=path, based_on=based_on)
    except InvalidText:
        return None


def _is_revision(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value <= _MAX_REVISION)


def _build_context(late: LateDraft) -> Context:
    bound = [("diary.late_draft.day", late.day.isoformat().encode())]
    if late.entry_id is not None:
        bound.append(("diary.late_draft.entry", late.entry_id.bytes))
    if late.is_of_note:
        bound.append(("diary.late_draft.note", late.note_id.bytes if late.note_id else b""))
    if late.sign_in_id is not None:
        bound += [
            ("diary.late_draft.sign_in", late.sign_in_id.bytes),
            ("diary.late_draft.revision", encode_bound_value(late.revision)),
            ("diary.late_draft.follows", encode_bound_value(late.follows)),
        ]
    return Context(
        purpose="late_draft",
        label="diary.late_draft.box",
        row=late.id,
        owner=late.owner_id,
        bound=tuple(bound),
    )


# --- Rows in the database ----------------------------------------------------------------------------


def exists(owner: UUID) -> bool:
    """Return whether an owner has any row, damaged or not."""
    return bool(_fetch(f"SELECT 1 FROM {_TABLE} WHERE owner_id = %s LIMIT 1", [owner.hex]))  # noqa: S608 - own name


def list_ids(owner: UUID, *, sign_in_id: UUID | None = None) -> list[UUID]:
    """Return the ids of an owner's undamaged rows, oldest first; with `sign_in_id`, those of one browser."""
    condition, parameters = "owner_id = %s", [owner.hex]
    if sign_in_id is not None:
        condition, parameters = f"{condition} AND sign_in_id = %s", [*parameters, sign_in_id.hex]
    statement = f"SELECT id FROM {_TABLE} WHERE {condition} AND NOT ({_find_damage()}) ORDER BY made_at, id"  # noqa: S608 - own names
    return [UUID(hex=row[0]) for row in _fetch(statement, parameters)]


def count_damaged(owner: UUID) -> int:
    """Return how many rows of an owner have values that Llamora never writes, and so are damaged."""
    statement = f"SELECT count(*) FROM {_TABLE} WHERE owner_id = %s AND ({_find_damage()})"  # noqa: S608 - own names
    return int(_fetch(statement, [owner.hex])[0][0])


def delete_damaged(owner: UUID) -> None:
    """Delete the rows of an owner that have values that Llamora never writes, and so are damaged."""
    with write_transaction(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_TABLE} WHERE owner_id = %s AND ({_find_damage()})", [owner.hex])  # noqa: S608 - own names


def _find_damage() -> str:
    return f"{build_damage_condition(LateDraft)} OR length(box) > {MAX_BOX}"


def _fetch(statement: str, parameters: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(statement, parameters).fetchall()
    return rows
