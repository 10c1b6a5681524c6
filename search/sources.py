"""What can be found: the sealed texts of the floors below, read in bulk with a keyring handed over.

A later floor's texts become findable by one more line in `SOURCES`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db.models import BinaryField, CharField, Count, Max, Model, QuerySet
from django.db.models.functions import Cast, Substr

from accounts.models import Vault
from diary.models import Entry, Opening, Recap, Reply, ReplyState
from llamora.crypto import Keyring, in_force, keyed_digest
from search.documents import Document
from search.drawn import true_recaps, untrue_openings
from search.opened import opened

# Bytes 6 to 29 of an envelope are its nonce: another one whenever the text was sealed anew.
_NONCE_AT: Final = 6
_NONCE: Final = 24
BATCH: Final = 500
LIVE: Final = (ReplyState.WAITING, ReplyState.WRITING)

Digest = Callable[[str], bytes]
Untrue = Callable[..., set[UUID]]


def _nothing(*_: object, **__: object) -> set[UUID]:
    return set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of text: its model, the columns that say where it belongs, and which rows count.

    `untrue` names the rows that count no more though their own columns do not tell. `entry` is the row itself
    where a text belongs to a whole day.
    """

    kind: str
    model: type[Model]
    only: Callable[["QuerySet[Any]"], "QuerySet[Any]"] = field(repr=False)
    untrue: Untrue = field(default=_nothing, repr=False)
    words: Callable[[Any], str] = field(default=str, repr=False)
    column: str = "text"
    entry: str = "id"
    day: str = "day"

    def standing(self, owner: UUID, ids: Sequence[UUID], *, keyring: Keyring) -> set[UUID]:
        """Return those of these rows that can be found now."""
        there = set(self._those(owner_id=owner, id__in=ids).values_list("id", flat=True))
        return there - (self.untrue(owner, keyring=keyring, among=there) if there else set())

    def _those(self, **lookups: Any) -> "QuerySet[Any]":
        manager: Any = self.model._default_manager
        return self.only(manager.filter(**lookups)).order_by()

    def stamps(self, owner: UUID, *, keyring: Keyring) -> dict[str, bytes]:
        """Return the id, in hex, and nonce of every text, without opening any.

        In hex: making a UUID of each of 50,000 ids takes longer than all the rest.
        """
        nonce = Substr(Cast(self.column, BinaryField()), _NONCE_AT, _NONCE, output_field=BinaryField())
        rows = self._those(owner_id=owner).order_by(self.day, "created_at")
        gone = {id_.hex for id_ in self.untrue(owner, keyring=keyring)}
        told = rows.values_list(Cast("id", CharField()), nonce)
        # SQLite keeps ids without dashes; a database with a type for them writes them with.
        stamps = ((id_.replace("-", ""), bytes(stamp)) for id_, stamp in told)
        return {id_: stamp for id_, stamp in stamps if id_ not in gone}

    def read(self, ids: Sequence[UUID], *, keyring: Keyring, digest: Digest) -> Iterator[Document]:
        """Yield these texts, opened; what does not open is left out, since nobody can find it either."""
        column: Any = self.model._meta.get_field(self.column)
        names = list(dict.fromkeys(["id", "owner_id", self.entry, self.day, *column.bound, self.column]))
        # By id alone: told the owner too, SQLite walks through all of that person's rows for every batch.
        rows = list(self._those(id__in=ids).values_list(*names))
        gone = self.untrue(keyring.owner, keyring=keyring, among=[row[0] for row in rows]) if rows else set()
        for values in rows:
            row = dict(zip(names, values, strict=True))
            if row["owner_id"] != keyring.owner or row["id"] in gone:
                continue
            held = opened(column, row, row[self.column], keyring)
            if held is not None:
                yield self._document(row, self.words(held), digest)

    def _document(self, row: dict[str, Any], text: str, digest: Digest) -> Document:
        return Document(
            id=row["id"],
            kind=self.kind,
            entry=row[self.entry],
            day=row[self.day],
            stamp=row[self.column].envelope[_NONCE_AT - 1 : _NONCE_AT - 1 + _NONCE],
            digest=digest(text),
            text=text,
        )


def _standing(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(deleted_at=None)


def _finished(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(entry__deleted_at=None).exclude(state__in=LIVE)


def _not_dismissed(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(is_dismissed=False)


def _told(body: Any) -> str:
    return str(body.get("text", "")) if isinstance(body, dict) else ""


SOURCES: Final[tuple[Source, ...]] = (
    Source(kind="entry", model=Entry, only=_standing),
    Source(kind="reply", model=Reply, entry="entry_id", day="entry__day", only=_finished),
    Source(kind="opening", model=Opening, only=_not_dismissed, untrue=untrue_openings),
    Source(kind="recap", model=Recap, column="body", words=_told, only=true_recaps),
)


def digest_of(keyring: Keyring) -> Digest:
    """Return how this person's texts are digested; the key is theirs and outlives rotations."""
    with in_force(keyring):
        key = bytes(Vault.objects.get(owner_id=keyring.owner).digest_key)
    return lambda text: keyed_digest(key, [text.encode("utf-8", "surrogatepass")])


def stamps_of(owner: UUID, *, keyring: Keyring) -> dict[str, bytes]:
    """Return the id, in hex, and stamp of everything that person can find, oldest day first in each kind."""
    every = (source.stamps(owner, keyring=keyring) for source in SOURCES)
    return {id_: stamp for stamps in every for id_, stamp in stamps.items()}


def standing(owner: UUID, by_kind: Mapping[str, Sequence[UUID]], *, keyring: Keyring) -> set[UUID]:
    """Return those of these texts that can be found now, whatever an index still holds."""
    asked = [(source, by_kind[source.kind]) for source in SOURCES if source.kind in by_kind]
    return {id_ for source, ids in asked for id_ in source.standing(owner, ids, keyring=keyring)}


def read(ids: Iterable[UUID], *, keyring: Keyring, digest: Digest) -> Iterator[list[Document]]:
    """Yield these texts in batches, opened, in the order asked for."""
    wanted = list(ids)
    for first in range(0, len(wanted), BATCH):
        some = wanted[first : first + BATCH]
        yield _batch(some, keyring=keyring, digest=digest)


def _batch(ids: Sequence[UUID], *, keyring: Keyring, digest: Digest) -> list[Document]:
    found: dict[UUID, Document] = {}
    for source in SOURCES:
        # An id is in one table alone: most often all of them are entries.
        left = [id_ for id_ in ids if id_ not in found]
        if left:
            found |= {document.id: document for document in source.read(left, keyring=keyring, digest=digest)}
    return [found[id_] for id_ in ids if id_ in found]


def signature_of(owner: UUID) -> tuple[object, ...]:
    """Return something that differs after most changes, for noticing those that another process made."""
    entries = Entry.objects.for_owner(owner).aggregate(
        n=Count("id"), kept=Max("created_at"), edited=Max("edited_at")
    )
    replies = Reply.objects.filter(owner_id=owner).aggregate(n=Count("id"), ended=Max("finished_at"))
    openings, recaps = (
        model.objects.filter(owner_id=owner).aggregate(n=Count("id"), made=Max("created_at"))
        for model in (Opening, Recap)
    )
    return tuple(value for told in (entries, replies, openings, recaps) for value in told.values())
