"""Calls that list, return, save, change, move, delete and restore entries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils import timezone

from accounts.tokens.open_keyrings import open_keyrings
from diary import days
from diary.entries import services
from diary.entries.queries import get_entry as find_entry
from diary.errors import ObjectNotFound
from diary.inbox.boxes import store_box
from diary.inbox.inbox_text import InboxText
from diary.inbox.services import add_item
from diary.models import Entry, Origin
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources.pages import USUAL_LIMIT, Cursor, Limit, decode_cursor, encode_cursor
from llamora.api.resources.texts import EntryBody, build_entry_body, select_entries
from llamora.crypto import Keyring, VaultLocked, in_force
from llamora.database import CachedQuery, write_transaction

_TAG: Final = "Entries"
_PATH: Final = "/api/v1/entries"
_READ: Final = "diary:read"
_WRITE: Final = "diary:write"
# Also said by `too_large`: a body of 4 MiB is refused before it is read.
Text = Annotated[str, msgspec.Meta(min_length=1, description="The text, in Markdown.")]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="A moment with its offset from UTC.")]


class EntryListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of the list of entries: one day, or the first and the last day, both included."""

    day: date | None = None
    since: date | None = msgspec.field(name="from", default=None)
    until: date | None = msgspec.field(name="to", default=None)
    limit: Limit = USUAL_LIMIT
    cursor: Cursor = ""


class EntryList(msgspec.Struct, kw_only=True):
    """A page of entries, newest day first, each day in the order of writing.

    `next_cursor` is null on the last page.
    """

    entries: list[EntryBody]
    next_cursor: str | None


class EntryToSave(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A text to save.

    Its day is `day`; without it the day of `written_at`, or today in the owner's time zone.
    """

    text: Text
    day: date | None = None
    written_at: Moment | None = None


class SavedText(msgspec.Struct, kw_only=True):
    """Result of a call that saves a text.

    "created": the text is an entry. "pending": it waits in the Inbox, and becomes an entry with the same id
    when its owner accepts it. "no_change": an earlier call with the same Idempotency-Key saved it.
    """

    action: Literal["created", "pending", "no_change"]
    id: UUID
    day: date
    entry: EntryBody | None


class EntryChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new text or day for an entry; refused if `revision` is not the entry's current one."""

    revision: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    text: Text | None = None
    day: date | None = None


class DeletedEntry(msgspec.Struct, kw_only=True):
    """An entry that was moved to the bin, and the number of days until it is deleted for good."""

    id: UUID
    in_bin_days: int
    deleted: bool = True


@endpoint("GET", _PATH, scopes=("diary:read",), tag=_TAG)
def list_entries(call: Call, *, query: EntryListQuery) -> EntryList:
    """List entries with their texts.

    Texts that the owner did not write are left out, unless the token may read them too.
    """
    entries = select_entries(call).order_by("-day", "created_at", "id")
    if query.day:
        entries = entries.filter(day=query.day)
    if query.since:
        entries = entries.filter(day__gte=query.since)
    if query.until:
        entries = entries.filter(day__lte=query.until)
    if (last := decode_cursor(query.cursor, date, Moment, UUID)) is not None:
        day, created_at, id_ = last
        later = Q(created_at__gt=created_at) | Q(created_at=created_at, id__gt=id_)
        entries = entries.filter(Q(day__lt=day) | Q(day=day) & later)
    rows = list(entries[: query.limit + 1])
    shown = rows[: query.limit]
    call.record_read(len(shown))
    following = None
    if len(rows) > len(shown):
        following = encode_cursor(shown[-1].day, shown[-1].created_at.isoformat(), shown[-1].id)
    return EntryList(entries=[build_entry_body(entry) for entry in shown], next_cursor=following)


@endpoint("POST", _PATH, scopes=("diary:write", "drop"), tag=_TAG, status=201, stores=True)
def add_entry(call: Call, *, body: EntryToSave) -> SavedText:
    """Save a text.

    A token that "writes what I type" saves an entry. A text of any other program waits in the
    Inbox. A token that can only send texts works while the diary is locked, too.
    """
    stored = store_text(call, body, content=msgspec.json.encode(body))
    entry = None if call.is_drop else _find_entry(call, stored.id)
    return SavedText(
        action=stored.action,
        id=stored.id,
        day=stored.day,
        entry=_build_written(call, entry) if entry else None,
    )


@endpoint("GET", _PATH + "/{id}", scopes=("diary:read",), tag=_TAG)
def get_entry(call: Call, *, id: UUID) -> EntryBody:  # noqa: A002 - its name in the address
    """Return an entry."""
    entry = _find_readable(call, id)
    call.record_read(1)
    return build_entry_body(entry)


@endpoint("PATCH", _PATH + "/{id}", scopes=("diary:write",), tag=_TAG)
def change_entry(call: Call, *, id: UUID, body: EntryChange) -> EntryBody:  # noqa: A002 - its name there
    """Change the text of an entry, or move it to another day.

    The earlier text stays in the entry's history for thirty days. Only a token that passes on what its owner
    types may change a text.
    """
    entry = _find_readable(call, id)
    if body.text is not None and not call.terms.writes_own_text:
        raise ApiError(403, "own_text_only")
    if entry.revision != body.revision:
        raise ApiError(409, "revision_conflict", revision=entry.revision)
    with write_transaction():
        if body.text is not None:
            services.edit_entry(
                owner_id=call.owner,
                entry_id=id,
                text=body.text,
                revision=body.revision,
                origin=Origin.OWN_TOKEN,
            )
        if body.day is not None:
            services.move_entry(owner_id=call.owner, entry_id=id, day=body.day)
    return _build_written(call, find_entry(call.owner, id))


@endpoint("DELETE", _PATH + "/{id}", scopes=("diary:write",), tag=_TAG)
def delete_entry(call: Call, *, id: UUID) -> DeletedEntry:  # noqa: A002 - its name in the address
    """Move an entry to the bin, where it stays for thirty days."""
    _find_readable(call, id)
    services.delete_entry(owner_id=call.owner, entry_id=id)
    return DeletedEntry(id=id, in_bin_days=services.BIN_LIFETIME.days)


@endpoint("POST", _PATH + "/{id}/restore", scopes=("diary:write",), tag=_TAG)
def restore_entry(call: Call, *, id: UUID) -> EntryBody:  # noqa: A002 - its name in the address
    """Restore an entry from the bin."""
    entry = Entry.objects.filter(owner_id=call.owner, id=id).first()
    if entry is None or not (entry.is_trusted or call.terms.reads_untrusted):
        raise ObjectNotFound
    return _build_written(call, services.restore_entry(owner_id=call.owner, entry_id=id))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredText:
    """Result of `store_text`: the action taken and the id, as in `SavedText`, and the day of the entry."""

    action: Literal["created", "pending", "no_change"]
    id: UUID
    day: date


def store_text(
    call: Call,
    body: EntryToSave,
    *,
    content: bytes,
    besides: Callable[[], object] | None = None,
    step: str = "",
) -> StoredText:
    """Save a text or put it into the Inbox; a call repeated with its Idempotency-Key stores nothing more.

    `content` is everything that the call stores, to recognize a repeated call. `besides` stores the other
    parts in the same transaction. `step` is as in `Call.store_once`.
    """
    day = body.day or _find_day(call, body.written_at)
    saves_entry = call.terms.writes_own_text and _WRITE in call.terms.scopes

    def save() -> UUID:
        if saves_entry:
            return services.save_token_entry(
                owner_id=call.owner,
                day=day,
                text=body.text,
                source=call.program_name,
                zone=call.person.time_zone,
            ).id
        return add_to_inbox(call, day=day, text=body.text, written_at=body.written_at)

    def store() -> UUID:
        if besides is None:
            return save()
        with write_transaction():
            besides()
            return save()

    stored = call.store_once(content, store, step=step)
    action: Literal["created", "pending", "no_change"] = "created" if saves_entry else "pending"
    # The day of the first call, if this one comes after midnight.
    first = None if call.is_drop else select_entries(call).filter(id=stored.row_id).values_list("day").first()
    return StoredText(
        action=action if stored.is_new else "no_change", id=stored.row_id, day=first[0] if first else day
    )


def add_to_inbox(call: Call, *, day: date, text: str, written_at: datetime | None = None) -> UUID:
    """Put a program's text into the owner's Inbox. Return the id that an entry with this text will have."""
    content = InboxText.create(text, source=call.program_name, written_at=written_at, sender_id=call.token_id)
    if call.opened.drop is not None:
        return store_box(
            owner_id=call.owner, day=day, text=content, sender_id=call.token_id, key=call.opened.drop
        )
    with in_force(call.keyring if _WRITE in call.terms.scopes else _find_owners_keyring(call)):
        return add_item(owner_id=call.owner, day=day, origin=Origin.PROGRAM, text=content).id


def _find_owners_keyring(call: Call) -> Keyring:
    """Return the keyring of the owner, for a program that has no key of the Inbox; raise VaultLocked."""
    held = open_keyrings.find(call.owner)
    if held is None:
        raise VaultLocked
    return held


def _find_day(call: Call, written_at: datetime | None) -> date:
    if written_at is not None:
        return written_at.date()
    return days.today(call.person.time_zone, now=timezone.now())


def _build_written(call: Call, entry: Entry) -> EntryBody:
    """Return an entry that a call has changed, with its text only if the program may read.

    The text may be its owner's: they may have edited what the program wrote.
    """
    return build_entry_body(entry, with_text=_READ in call.terms.scopes)


_entry_query: Final[CachedQuery[Entry]] = CachedQuery(
    lambda owner_id, id: Entry.objects.for_owner(owner_id).filter(id=id)  # noqa: A006 - the column's
)


def _find_entry(call: Call, entry_id: UUID) -> Entry | None:
    """Return an entry that a program may read, as `select_entries` has it, or None."""
    entry = next(iter(_entry_query(owner_id=call.owner, id=entry_id)), None)
    return entry if entry is not None and (call.terms.reads_untrusted or entry.is_trusted) else None


def _find_readable(call: Call, entry_id: UUID) -> Entry:
    entry = _find_entry(call, entry_id)
    if entry is None:
        raise ObjectNotFound
    return entry
