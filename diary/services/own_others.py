"""What comes back from an export beside its entries: openings, ways of answering, and what was being written.

Each comes in where there is nothing in its place. Needs the owner's keyring in force.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from diary import access
from diary.made import Opening, OwnKind
from diary.models import Draft, Entry
from diary.own_rows import DRAFT, OPENING, WAY, day_begun, taken
from diary.own_values import Row, Unfit, an_id, words
from diary.replies.kinds import LONGEST_NAME, LONGEST_WISH, MOST, own_kinds
from diary.services.drafts import MAX_DRAFT
from diary.services.own_entries import Desk, renamed
from diary.texts import TextRefused, can_be_seen, to_keep
from llamora.crypto import EnvelopeError
from llamora.database import writing
from llamora.fields import new_id

BATCH: Final = 200
_LONGEST: Final = 10 * settings.MAX_TEXT
_FIRST_REVISIONS: Final = 2**30
KINDS: Final = ("openings", "ways_of_answering", "drafts")


class Others:
    """Where the rows of one file that belong to no entry come in; what cannot be taken goes to `faults`."""

    def __init__(self, owner_id: UUID, *, desk: Desk, now: datetime, faults: list[str]) -> None:
        self._owner_id, self._desk, self._now, self._faults = owner_id, desk, now, faults
        bringing: tuple[Callable[[int, Row], bool], ...] = (self._opening, self._way, self._draft)
        self._bringing = dict(zip(KINDS, bringing, strict=True))

    def bring_in(self, kind: str, rows: Sequence[Row]) -> int:
        """Write the rows of a kind that have a place here, and return how many."""
        bring, added, numbered = self._bringing[kind], 0, iter(enumerate(rows, start=1))
        while batch := list(islice(numbered, BATCH)):
            faults = len(self._faults)
            try:
                with writing():
                    added += sum([bring(number, row) for number, row in batch])
            except BaseException:
                del self._faults[faults:]
                raise
        return added

    def _refuse(self, what: str) -> bool:
        self._faults.append(f"{what}.")
        return False

    def _taken(self, what: str, row: Row, columns: Any) -> Row:
        faults: list[str] = []
        found = taken(row, columns, faults)
        self._faults += [f"{what}: {fault}." for fault in faults]
        return found

    def _opening(self, number: int, row: Row) -> bool:
        what = f"Opening {number}"
        try:
            day = day_begun(row.get("day"), now=self._now)
            text = words(row.get("text"), limit=_LONGEST)
        except Unfit:
            return self._refuse(f"{what} has no day, or no text, that can be taken")
        if Opening.objects.filter(owner_id=self._owner_id, day=day).exists():
            return False
        columns = self._taken(what, row, OPENING)
        columns["created_at"] = columns["created_at"] or self._now
        if columns["read"]:
            columns["read"] = renamed(columns["read"], self._desk.places_named([columns["read"]]))
        Opening.objects.create(owner_id=self._owner_id, day=day, text=text, **columns)
        return True

    def _way(self, number: int, row: Row) -> bool:
        what = f"Way of answering {number}"
        said = row.get("words")
        try:
            name, wish = _line(said, "name", LONGEST_NAME), _line(said, "wish", LONGEST_WISH)
        except Unfit:
            return self._refuse(f"{what} has no name, or no wish, that can be taken")
        id_, is_known = self._way_id(row)
        there = own_kinds(self._owner_id)
        if is_known or any((way.name, way.wish) == (name, wish) for way in there):
            return False
        if len(there) >= MOST:
            return self._refuse(f"{what} is left out: there are {MOST} already")
        columns = self._taken(what, row, WAY)
        columns["created_at"] = columns["created_at"] or self._now
        words_of = {"name": name, "wish": wish}
        OwnKind.objects.create(id=id_, owner_id=self._owner_id, words=words_of, **columns)
        return True

    def _way_id(self, row: Row) -> tuple[UUID, bool]:
        """Return the id a way has here, its own where it is free, and whether it is there already."""
        try:
            id_ = an_id(row.get("id"))
        except Unfit:
            return new_id(), False
        owner = OwnKind.objects.filter(id=id_).values_list("owner_id", flat=True).first()
        return (id_ if owner in (None, self._owner_id) else new_id()), owner == self._owner_id

    def _draft(self, number: int, row: Row) -> bool:
        what = f"Draft {number}"
        columns = self._taken(what, row, DRAFT)
        columns["updated_at"] = columns["updated_at"] or self._now
        try:
            text = words(row.get("text"), limit=MAX_DRAFT)
            day, entry = self._place_of(row, columns.pop("entry_id"))
        except Unfit:
            return self._refuse(f"{what} has no text, or belongs to no day or entry that is here")
        there = access.draft_of(self._owner_id, day=day, entry_id=entry.id if entry else None)
        if there is not None:
            left_out = f"{what} is left out: something else is being written in its place"
            return False if _says(there, text) else self._refuse(left_out)
        if not text or self._is_over(day, entry, since=columns["updated_at"]):
            return False
        # Drawn anew: a page that still shows an earlier draft of this place must not match it by its number.
        revision = secrets.randbelow(_FIRST_REVISIONS) + 1
        Draft.objects.create(
            owner_id=self._owner_id, day=day, entry=entry, text=text, revision=revision, **columns
        )
        return True

    def _place_of(self, row: Row, own: UUID | None) -> tuple[date, Entry | None]:
        """Return the day a draft is on, and the entry it changes if it changes one; raise Unfit."""
        if own is None:
            if row.get("entry_id") is not None:
                raise Unfit
            return day_begun(row.get("day"), now=self._now), None
        id_, _ = self._desk.place_of([own])[own]
        entry = Entry.objects.filter(owner_id=self._owner_id, id=id_).first()
        if entry is None:
            raise Unfit
        return entry.day, entry

    def _is_over(self, day: date, entry: Entry | None, *, since: datetime) -> bool:
        """Return whether something was kept in a draft's place after it: it is not being written any more."""
        if entry is not None:
            return bool(entry.edited_at and entry.edited_at > since)
        return Entry.objects.filter(owner_id=self._owner_id, day=day, created_at__gt=since).exists()


def _says(draft: Draft, text: str) -> bool:
    try:
        return bool(draft.text == text)
    except EnvelopeError:
        return False


def _line(said: object, key: str, limit: int) -> str:
    value = said.get(key) if isinstance(said, dict) else None
    if not isinstance(value, str):
        raise Unfit
    try:
        line = " ".join(to_keep(value, limit=limit).split())
    except TextRefused:
        raise Unfit from None
    if not can_be_seen(line):
        raise Unfit
    return line
