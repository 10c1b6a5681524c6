"""The vectors of one person as sealed rows: what an index is filled from, and where new ones are put."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from llamora.crypto import Keyring
from search import chunks
from search.embedded import Embedded
from search.embedder import Embedder
from search.meaning import from_body, to_body
from search.models import Vector
from search.opened import opened

READ: Final = 250


def stored(
    owner: UUID, embedder: Embedder, *, of: set[UUID], keyring: Callable[[], Keyring]
) -> Iterator[list[Embedded]]:
    """Yield the vectors of these texts, some at a time; rows that do not open are passed over.

    The keyring is asked for at each row, because the index may go on with a later one meanwhile.
    """
    rows = Vector.objects.filter(owner_id=owner, embedder=embedder.name, rule=chunks.RULE)
    if len(of) <= READ:
        rows = rows.filter(source__in=of)
    body = Vector._meta.get_field("body")
    some: list[Embedded] = []
    for id_, source, sealed in rows.values_list("id", "source", "body").iterator(chunk_size=READ):
        if source not in of:
            continue
        columns: dict[str, Any] = {"id": id_, "owner_id": owner, "source": source}
        columns |= {"embedder": embedder.name, "rule": chunks.RULE}
        held = opened(body, columns, sealed, keyring())
        with suppress(ValueError):
            some += [from_body(source, held)] if held is not None else []
        if len(some) >= READ:
            yield some
            some = []
    yield some


def store(owner: UUID, made: Sequence[Embedded], embedder: Embedder) -> None:
    """Put vectors in the place of those these texts had; call with a keyring in force, in a transaction."""
    Vector.objects.filter(owner_id=owner, source__in=[text.id for text in made]).delete()
    Vector.objects.bulk_create(
        Vector(owner_id=owner, source=text.id, embedder=embedder.name, rule=chunks.RULE, body=to_body(text))
        for text in made
    )
