"""Entries that come back from an export, each once, with their versions, their replies and what they bear.

An entry is known by its id. It keeps it, so that whatever names it stays true and a diary can be carried to
and fro; where somebody else of the household has an entry of that id, having taken in the same file, it gets
one that is derived from it, the same each time. An entry that is there, edited or in the bin, stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from accounts.models import Person
from diary import days
from diary.beside import Takes
from diary.digests import digest_key
from diary.models import Entry, Reply, ReplyState, Version
from diary.own_rows import LIVE, REPLY, VERSION, Given, rows_of, taken, text_of
from diary.own_values import Row, Unfit, words
from diary.reading import Reading
from diary.services.entries import IN_BIN
from diary.services.imports import sealed, source_of
from diary.services.versions import KEPT
from llamora.crypto import keyed_digest
from llamora.database import writing
from llamora.fields import new_id

LONGEST = 10 * settings.MAX_TEXT
_ID_LABEL = b"diary.entry.id"
# SQLite takes so many in one statement wherever it comes from; a file may name any number.
_ASKED_AT_ONCE = 500


@dataclass(kw_only=True)
class Fresh:
    """An entry that was not there, with what comes with it, sealed and ready to be written."""

    given: Given
    entry: Entry
    faults: list[str]
    versions: list[Version] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class Desk:
    """Where the entries of one file come in, for one person; needs their keyring in force."""

    def __init__(self, person: Person, *, takes: Mapping[str, Takes], now: datetime) -> None:
        self._owner_id: UUID = person.id
        self._zone = person.time_zone
        self._takes = takes
        self._now = now
        self._digest_key = digest_key(person.id)

    def changed_since(self, batch: Sequence[Given]) -> list[Given]:
        """Return those of some entries that are there, and say something later in the file than here."""
        given = {self._id_of(one): one for one in batch if one.columns["edited_at"]}
        places = {id_: given[own] for own, (id_, is_known) in self.place_of(list(given)).items() if is_known}
        there = Entry.objects.filter(id__in=places).order_by().values_list("id", "edited_at")
        return [places[id_] for id_, at in there if at is None or at < places[id_].columns["edited_at"]]

    def bring_in(self, batch: Sequence[Given]) -> list[Fresh]:
        """Write what is not there yet of some entries, in one transaction, and return it."""
        fresh = self._fresh(batch)
        try:
            self._write(fresh)
        except IntegrityError:
            # Somebody took one of the ids since they were looked for: the same file, imported twice at once.
            fresh = self._fresh(batch)
            self._write(fresh)
        return fresh

    # --- Ids -------------------------------------------------------------------------------------------

    def place_of(self, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, bool]]:
        """Return the id that each entry of a file has here, and whether it is there already."""
        derived = {id_: self._derived(id_.bytes) for id_ in ids}
        owners: dict[UUID, UUID] = {}
        asked = [*derived, *derived.values()]
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            there = Entry.objects.filter(id__in=asked[start : start + _ASKED_AT_ONCE]).order_by()
            owners.update(there.values_list("id", "owner_id"))
        return {id_: self._place(id_, derived[id_], owners) for id_ in derived}

    def _place(self, own: UUID, derived: UUID, owners: Mapping[UUID, UUID]) -> tuple[UUID, bool]:
        for id_ in (own, derived):
            if owners.get(id_) == self._owner_id:
                return id_, True
        free = (id_ for id_ in (own, derived) if id_ not in owners)
        return next(free, None) or new_id(), False

    def _derived(self, *parts: bytes) -> UUID:
        digest = keyed_digest(self._digest_key, [_ID_LABEL, *parts])
        return UUID(bytes=digest[:16], version=5)

    def _id_of(self, given: Given) -> UUID:
        """Return the id a file gives an entry, or one from its day and words where it gives none."""
        return given.id or self._derived(given.day.isoformat().encode(), given.columns["text"].encode())

    # --- Rows ------------------------------------------------------------------------------------------

    def _fresh(self, batch: Sequence[Given]) -> list[Fresh]:
        by_id: dict[UUID, Given] = {}
        for given in batch:
            by_id.setdefault(self._id_of(given), given)
        places = self.place_of(list(by_id))
        found = [
            self._entry(given, id_)
            for own, given in by_id.items()
            for id_, is_known in [places[own]]
            if not is_known
        ]
        self._follow(found, {own: id_ for own, (id_, _) in places.items()})
        for one in found:
            for row in (one.entry, *one.versions, *one.replies):
                sealed(row)
        return found

    def _entry(self, given: Given, id_: UUID) -> Fresh:
        columns = dict(given.columns)
        if columns["created_at"] is None:
            columns["created_at"] = at = days.noon(given.day, self._zone)
            columns["utc_offset"] = days.utc_offset(at, self._zone)
        if columns["deleted_at"]:
            columns["deleted_at"] = self._kept_since(columns["deleted_at"], IN_BIN)
        entry = Entry(id=id_, owner_id=self._owner_id, **columns)
        fresh = Fresh(given=given, entry=entry, faults=list(given.faults))
        fresh.versions = list(self._versions(entry, given.row, fresh.faults))
        fresh.replies = list(self._replies(entry, given.row, fresh.faults))
        self._make_source(fresh)
        return fresh

    def _make_source(self, fresh: Fresh) -> None:
        """Have an entry that was once a line known by it under this key too, where what it said is known."""
        entry = fresh.entry
        texts = {version.revision: version.text for version in fresh.versions} | {entry.revision: entry.text}
        if entry.source is not None and 1 in texts:
            entry.source = source_of(self._digest_key, entry.first_day or entry.day, texts[1])

    def _kept_since(self, at: datetime, lasts: timedelta) -> datetime:
        """Return since when something is here that stays for a time alone; it begins anew where that is over.

        Else what was in the bin of an old export would be gone at the next unlock, before anybody saw it. A
        moment that is yet to come would hold it for ever.
        """
        return at if self._now - lasts < at <= self._now else self._now

    def _versions(self, entry: Entry, row: Row, faults: list[str]) -> Iterator[Version]:
        seen: set[int] = set()
        for version in rows_of(row, "versions", faults):
            columns = taken(version, VERSION, faults, of="an earlier version's ")
            revision = columns["revision"]
            # The next edit would put another version where one stands.
            if revision is None or revision >= entry.revision or revision in seen:
                faults.append("an earlier version has no place among the others")
                continue
            try:
                columns["text"] = text_of(version.get("text"), limit=settings.MAX_TEXT)
            except Unfit:
                faults.append("an earlier version's text cannot be taken")
                continue
            seen.add(revision)
            columns["written_at"] = columns["written_at"] or entry.created_at
            columns["replaced_at"] = self._kept_since(columns["replaced_at"] or self._now, KEPT)
            yield Version(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _replies(self, entry: Entry, row: Row, faults: list[str]) -> Iterator[Reply]:
        for reply in rows_of(row, "replies", faults):
            columns = taken(reply, REPLY, faults, of="a reply's ")
            try:
                columns["text"] = words(reply.get("text"), limit=LONGEST)
            except Unfit:
                faults.append("a reply's text cannot be taken")
                continue
            if columns["state"] in LIVE:
                # It was being written when the diary was exported, and nobody goes on with it.
                columns |= {"state": ReplyState.INTERRUPTED.value, "reason": "crashed"}
            columns["created_at"] = columns["created_at"] or entry.created_at
            yield Reply(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _follow(self, found: Sequence[Fresh], places: Mapping[UUID, UUID]) -> None:
        """Have what was read for replies name the entries as they are called here."""
        replies = [reply for one in found for reply in one.replies if reply.read]
        named = self.places_named([reply.read for reply in replies])
        named |= {str(own): str(id_) for own, id_ in places.items() if own != id_}
        for reply in replies if named else ():
            reply.read = renamed(reply.read, named)

    def places_named(self, read: Sequence[Row]) -> dict[str, str]:
        """Return what the entries that were read for something are called here, where that is another id."""
        readings = [reading for row in read if (reading := Reading.from_json(row))]
        ids = {id_ for reading in readings for id_, _ in reading.left_out}
        ids = ids.union(*(reading.drawn_from for reading in readings))
        places = self.place_of(list(ids)) if ids else {}
        return {str(own): str(id_) for own, (id_, _) in places.items() if own != id_}

    # --- Writing ---------------------------------------------------------------------------------------

    def _write(self, fresh: Sequence[Fresh]) -> None:
        if not fresh:
            return
        with writing():
            Entry.objects.bulk_create([one.entry for one in fresh])
            Version.objects.bulk_create([version for one in fresh for version in one.versions])
            Reply.objects.bulk_create([reply for one in fresh for reply in one.replies])
            for kind, takes in self._takes.items():
                borne = [(one.entry, one.given.row[kind]) for one in fresh if one.given.row.get(kind)]
                found = takes(borne) if borne else {}
                for one in fresh:
                    one.faults += found.get(one.entry.id, ())


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a plain value in which some words, wherever they stand alone, are others."""
    match value:
        case str():
            return names.get(value, value)
        case list():
            return [renamed(one, names) for one in value]
        case dict():
            return {names.get(key, key): renamed(one, names) for key, one in value.items()}
    return value
