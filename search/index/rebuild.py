"""The rebuild of a whole index at once, for a command that waits for it."""

from collections.abc import Callable
from dataclasses import dataclass

from llamora.crypto import Keyring
from llamora.database import write_transaction
from search.embedder.holder import embedders
from search.embedder.search_settings import get_search_settings
from search.errors import EmbedderUnavailable
from search.index.person_index import PersonIndex
from search.index.snapshots import SnapshotFolder
from search.models import Vector

ReportProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSummary:
    """Numbers of texts and chunks in an index. `why_not_embedded` is empty if the texts have vectors."""

    texts: int
    chunks: int
    why_not_embedded: str


def rebuild_index(keyring: Keyring, *, vectors: bool, progress: ReportProgress) -> IndexSummary:
    """Rebuild a person's index and save its snapshots; with `vectors`, embed every text again."""
    folder = SnapshotFolder(get_search_settings().folder, keyring.owner)
    folder.delete_all()
    if vectors:
        with write_transaction():
            Vector.objects.filter(owner_id=keyring.owner).delete()
    index = PersonIndex(keyring, folder)
    try:
        index.open_words()
        _embed_all(index, progress)
        index.save_snapshots(force=True)
        texts = index.words.count() if index.words is not None else 0
        made = index.vectors.count() if index.vectors is not None else 0
        return IndexSummary(texts=texts, chunks=made, why_not_embedded=index.why_not_embedded)
    finally:
        index.close()


def _embed_all(index: PersonIndex, progress: ReportProgress) -> None:
    try:
        index.open_vectors(embedders.get())
    except EmbedderUnavailable as away:
        index.why_not_embedded = away.code
        return
    whole = index.pending
    while index.embed_batch():
        progress(whole - index.pending, whole)
