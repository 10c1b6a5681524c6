"""What can be found: the sealed texts of the floors below, read in bulk with a keyring handed over.

A later floor's texts (openings, recaps) become findable by one more line in `SOURCES`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db.models import BinaryField, Count, Max, Model, QuerySet
from django.db.models.functions import Cast, Substr

from accounts.models import Vault
from diary.models import Entry, Reply, ReplyState
from llamora.crypto import EnvelopeError, Keyring, WrongEpoch, in_force, keyed_digest
from llamora.fields import SealedValue
from search.documents import Document

# Bytes 6 to 29 of an envelope are its nonce: another one whenever the text was sealed anew.
_NONCE_AT: Final = 6
_NONCE: Final = 24
BATCH: Final = 500

Digest = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of text: its model, the columns that say where it belongs, and which rows count."""

    kind: str
    model: type[Model]
    entry: str
    day: str
    only: Callable[["QuerySet[Any]"], "QuerySet[Any]"] = field(repr=False)

    def rows(self, owner: UUID) -> "QuerySet[Any]":
        """Return the rows of one person that can be found."""
        return self._those(owner_id=owner)

    def _those(self, **lookups: Any) -> "QuerySet[Any]":
        manager: Any = self.model._default_manager
        return self.only(manager.filter(**lookups)).order_by()

    def stamps(self, owner: UUID) -> dict[UUID, bytes]:
        """Return the id and nonce of every text, without opening any."""
        nonce = Substr(Cast("text", BinaryField()), _NONCE_AT, _NONCE, output_field=BinaryField())
        rows = self.rows(owner).order_by(self.day, "created_at").values_list("id", nonce)
        return {id_: bytes(stamp) for id_, stamp in rows}

    def read(self, ids: Sequence[UUID], *, keyring: Keyring, digest: Digest) -> Iterator[Document]:
        """Yield these texts, opened; what does not open is left out, since nobody can find it either."""
        text: Any = self.model._meta.get_field("text")
        columns = list(dict.fromkeys(["id", "owner_id", self.entry, self.day, *text.bound, "text"]))
        # By id alone: told the owner too, SQLite walks through all of that person's rows for every batch.
        for values in self._those(id__in=ids).values_list(*columns):
            row = dict(zip(columns, values, strict=True))
            if row["owner_id"] != keyring.owner:
                continue
            written = opened(text, row, row["text"], keyring)
            if written is not None:
                yield self._document(row, written, digest)

    def _document(self, row: dict[str, Any], text: str, digest: Digest) -> Document:
        return Document(
            id=row["id"],
            kind=self.kind,
            entry=row[self.entry],
            day=row[self.day],
            stamp=row["text"].envelope[_NONCE_AT - 1 : _NONCE_AT - 1 + _NONCE],
            digest=digest(text),
            text=text,
        )


def opened(column: Any, row: dict[str, Any], sealed: SealedValue, keyring: Keyring) -> Any:
    """Return what a sealed column holds, or None where it does not open; raise WrongEpoch or VaultLocked.

    Not through instances: making one for each row costs three times what opening its envelope does.
    """
    try:
        return column.decode(keyring.unseal(sealed.envelope, column.context_for(None, row)))
    except WrongEpoch:
        # A rotation is under way: the text is there, only not for this keyring.
        raise
    except EnvelopeError:
        return None


def _standing(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(deleted_at=None)


def _finished(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    under_way = [ReplyState.WAITING, ReplyState.WRITING]
    return rows.filter(entry__deleted_at=None).exclude(state__in=under_way)


SOURCES: Final[tuple[Source, ...]] = (
    Source(kind="entry", model=Entry, entry="id", day="day", only=_standing),
    Source(kind="reply", model=Reply, entry="entry_id", day="entry__day", only=_finished),
)


def digest_of(keyring: Keyring) -> Digest:
    """Return how this person's texts are digested; the key is theirs and outlives rotations."""
    with in_force(keyring):
        key = bytes(Vault.objects.get(owner_id=keyring.owner).digest_key)
    return lambda text: keyed_digest(key, [text.encode("utf-8", "surrogatepass")])


def stamps_of(owner: UUID) -> dict[UUID, bytes]:
    """Return the id and stamp of everything that person can find, oldest day first in each kind."""
    return {id_: stamp for source in SOURCES for id_, stamp in source.stamps(owner).items()}


def read(ids: Iterable[UUID], *, keyring: Keyring, digest: Digest) -> Iterator[list[Document]]:
    """Yield these texts in batches, opened, in the order asked for within each kind."""
    wanted = list(ids)
    for first in range(0, len(wanted), BATCH):
        some = wanted[first : first + BATCH]
        batch = [d for source in SOURCES for d in source.read(some, keyring=keyring, digest=digest)]
        place = {id_: number for number, id_ in enumerate(some)}
        yield sorted(batch, key=lambda document: place[document.id])


def signature_of(owner: UUID) -> tuple[object, ...]:
    """Return something that differs after most changes, for noticing those that another process made."""
    entries = Entry.objects.of(owner).aggregate(
        n=Count("id"), kept=Max("created_at"), edited=Max("edited_at")
    )
    replies = Reply.objects.filter(owner_id=owner).aggregate(n=Count("id"), ended=Max("finished_at"))
    return (*entries.values(), *replies.values())
