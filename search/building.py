"""A whole index made at once, for whoever waits for it: a command, not a page."""

from collections.abc import Callable
from dataclasses import dataclass

from llamora.crypto import Keyring
from llamora.database import write_transaction
from search.choices import chosen
from search.embedder import embedders
from search.errors import EmbedderAway
from search.models import Vector
from search.person import PersonIndex
from search.snapshots import SnapshotFolder

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What an index holds; `why_no_meaning` is empty where it has vectors."""

    texts: int
    chunks: int
    why_no_meaning: str


def build(keyring: Keyring, *, vectors: bool, progress: Progress) -> Built:
    """Make a person's index anew, and with `vectors` embed everything again, and keep it sealed."""
    folder = SnapshotFolder(chosen().folder, keyring.owner)
    folder.forget()
    if vectors:
        with write_transaction():
            Vector.objects.filter(owner_id=keyring.owner).delete()
    index = PersonIndex(keyring, folder)
    try:
        index.open_words()
        _embed(index, progress)
        index.keep(whatever=True)
        texts = index.words.count() if index.words is not None else 0
        made = index.vectors.count() if index.vectors is not None else 0
        return Built(texts=texts, chunks=made, why_no_meaning=index.why_no_meaning)
    finally:
        index.close()


def _embed(index: PersonIndex, progress: Progress) -> None:
    try:
        index.open_meaning(embedders.get())
    except EmbedderAway as away:
        index.why_no_meaning = away.code
        return
    whole = index.pending
    while index.embed_some():
        progress(whole - index.pending, whole)
