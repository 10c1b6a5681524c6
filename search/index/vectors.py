"""The chunk vectors of one unlocked person, in memory: exact cosine, or a graph if there are very many.

Rows are unit vectors, so their product with a unit vector is the cosine. They are stored between sessions as
float16; in memory they are `VectorRows`, since numpy multiplies float16 forty times slower. The rows of a
removed text are zeroed and reused, so that no trace of an edited text remains.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.chunks import Span
from search.errors import IndexClosed
from search.index import graph as neighbour_graph
from search.index import similarity, vector_codec
from search.index.graph import GRAPH_THRESHOLD, NeighbourGraph
from search.index.similarity import Floats, VectorRows
from search.index.types import EmbeddedText, NearText, SimilarChunk

# Of so few texts even the nearest may be far: there the ordinary says nothing.
FEW_TEXTS: Final = 2000
_INITIAL_ROWS: Final = 256
# So many rows are looked at for each text wanted: a long text has many chunks.
_ROWS_PER_TEXT: Final = 6
# More than this part of all rows are compared in their place.
_COPIED_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The cosines of all rows to one vector (`key`), and the cosine above which a row is exceptional."""

    key: bytes = field(repr=False)
    cosines: Floats = field(repr=False)
    ordinary: float


class VectorsIndex:
    """The vectors of one person; every use after `close` raises IndexClosed."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._lock = Lock()
        self._closed = False
        self._vectors = VectorRows(width, _INITIAL_ROWS)
        self._spans = np.zeros((_INITIAL_ROWS, 2), dtype=np.uint32)
        self._text_numbers = np.full(_INITIAL_ROWS, -1, dtype=np.int64)
        self._used = 0
        self._free: list[int] = []
        self._ids: list[UUID | None] = []
        self._numbers: dict[UUID, int] = {}
        # By the number of a text: hashing thousands of ids takes longer than comparing their vectors.
        self._rows: list[list[int]] = []
        self._digests: dict[UUID, bytes] = {}
        self._graph: NeighbourGraph | None = None
        self._last: _Comparison | None = None
        self._last_allowed: tuple[frozenset[UUID], NDArray[np.int64]] | None = None

    # --- updates ---------------------------------------------------------------------------------

    def upsert(self, texts: Iterable[EmbeddedText]) -> None:
        """Add the vectors of texts, or replace those with the same id."""
        with self._lock:
            self._check_open()
            for text in texts:
                self._remove(text.id)
                self._add(text)

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove texts; unknown ids are ignored."""
        with self._lock:
            self._check_open()
            for id_ in ids:
                self._remove(id_)

    def _add(self, text: EmbeddedText) -> None:
        number = len(self._ids)
        rows = [self._allocate_row() for _ in text.spans]
        self._ids.append(text.id)
        self._rows.append(rows)
        self._numbers[text.id], self._digests[text.id] = number, text.digest
        self._last = self._last_allowed = None
        if rows:
            self._vectors.set(rows, text.matrix)
            self._spans[rows] = text.spans
            self._text_numbers[rows] = number
        if self._graph is not None:
            self._graph.mark_changed(rows)

    def _remove(self, id_: UUID) -> None:
        number = self._numbers.pop(id_, None)
        if number is None:
            return
        rows, self._rows[number] = self._rows[number], []
        self._ids[number] = None
        del self._digests[id_]
        self._last = self._last_allowed = None
        self._vectors.clear(rows)
        self._text_numbers[rows] = -1
        self._free += rows
        if self._graph is not None:
            self._graph.mark_changed(rows)

    def _allocate_row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._vectors):
            self._grow(2 * self._used)
        self._used += 1
        return self._used - 1

    def _grow(self, room: int) -> None:
        self._vectors.enlarge(room)
        spans = np.zeros((room, 2), dtype=np.uint32)
        text_of = np.full(room, -1, dtype=np.int64)
        spans[: self._used], text_of[: self._used] = (
            self._spans[: self._used],
            self._text_numbers[: self._used],
        )
        self._spans, self._text_numbers = spans, text_of

    # --- queries --------------------------------------------------------------------------------

    def list_digests(self) -> dict[UUID, bytes]:
        """Return, by text id, the digest of the text from which the vectors were computed."""
        with self._lock:
            self._check_open()
            return dict(self._digests)

    def get_digests(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return, by text id, the digests of these texts; texts without vectors are left out."""
        with self._lock:
            self._check_open()
            return {id_: self._digests[id_] for id_ in ids if id_ in self._digests}

    def get_chunks(self, id_: UUID) -> tuple[Floats, list[Span]] | None:
        """Return the vectors and spans of a text's chunks, or None if it has none."""
        with self._lock:
            self._check_open()
            rows = self._rows[self._numbers[id_]] if id_ in self._numbers else []
            return (
                (self._vectors.get(rows), [(a, b) for a, b in self._spans[rows].tolist()]) if rows else None
            )

    def count(self) -> int:
        """Return the number of chunks."""
        with self._lock:
            return self._used - len(self._free)

    def search(
        self, vector: Floats, *, limit: int, allowed: Collection[UUID] | None = None, floor: float = -1.0
    ) -> list[NearText]:
        """Return the texts with a chunk whose cosine to the unit vector is at least `floor`, nearest first.

        Unless only few texts are `allowed`, that chunk must also be exceptionally near. There are more than
        `limit` if the last are equally near.
        """
        with self._lock:
            self._check_open()
            if not self._used or not vector.any():
                return []
            if allowed is not None:
                rows, cosines = self._compare_allowed(vector, allowed)
                floor = max(floor, self._find_ordinary(vector)) if len(allowed) > FEW_TEXTS else floor
                return self._rank_texts(rows, cosines, limit, floor, vector)
            floor = max(floor, self._find_ordinary(vector))
            if self._graph is not None:
                rows, cosines = self._search_graph(self._graph, vector, limit)
                return self._rank_texts(rows, cosines, limit, floor, vector)
            compared = self._compare_all(vector)
            rows = np.flatnonzero(compared.cosines >= floor)
            rows = rows[self._text_numbers[rows] >= 0]
            return self._rank_texts(rows, compared.cosines[rows], limit, floor, vector)

    def compare(self, vector: Floats) -> None:
        """Compare all rows with a vector, and cache the result for the next search with this vector."""
        with self._lock:
            self._check_open()
            if self._graph is None and self._used and vector.any():
                self._compare_all(vector)

    def _compare_all(self, vector: Floats) -> "_Comparison":
        """Return the cosines of all rows, which are remembered until the index changes or another is asked.

        One search asks several times: for more texts if a filter leaves too few, and again without facts.
        """
        key = vector.tobytes()
        if self._last is None or self._last.key != key:
            cosines = self._vectors.multiply(vector, used=self._used)
            sample = cosines[:: similarity.get_sample_step(self._used)]
            self._last = _Comparison(key, cosines, self._compute_ordinary(sample))
        return self._last

    def _find_ordinary(self, vector: Floats) -> float:
        """Return the cosine above which a row stands out."""
        if self._graph is None:
            return self._compare_all(vector).ordinary
        step = similarity.get_sample_step(self._used)
        return self._compute_ordinary(self._vectors.get(slice(0, self._used, step)) @ vector)

    def _compute_ordinary(self, sample: Floats) -> float:
        """Return the cosine above which a row stands out from the sample of all rows."""
        in_use = self._text_numbers[: self._used : similarity.get_sample_step(self._used)] >= 0
        return similarity.compute_threshold(sample[in_use], among=self._used)

    def _compare_allowed(self, vector: Floats, allowed: Collection[UUID]) -> tuple[NDArray[np.int64], Floats]:
        """Return the rows of these texts, without unknown ones, and their cosines."""
        rows = self._list_rows(allowed)
        # Copying rows takes a few times as long as comparing them in their place.
        is_known = self._last is not None and self._last.key == vector.tobytes()
        if is_known or len(rows) > self._used // _COPIED_SHARE:
            return rows, self._compare_all(vector).cosines[rows]
        return rows, self._vectors.get(rows) @ vector

    def _list_rows(self, allowed: Collection[UUID]) -> NDArray[np.int64]:
        """Return the rows of these texts, remembered until the index changes or others are asked for.

        What a filter lets through is one set from search to search, and may be 10,000 entries.
        """
        if self._last_allowed is None or self._last_allowed[0] is not allowed:
            numbers = [self._numbers[id_] for id_ in allowed if id_ in self._numbers]
            rows = np.array(sorted(row for number in numbers for row in self._rows[number]), dtype=np.int64)
            if not isinstance(allowed, frozenset):
                return rows
            self._last_allowed = allowed, rows
        return self._last_allowed[1]

    def score_texts(self, vector: Floats, ids: Iterable[UUID]) -> dict[UUID, float]:
        """Return, by text id, the cosine of each text to a unit vector, without texts that lack vectors."""
        with self._lock:
            self._check_open()
            numbers = [number for id_ in ids if (number := self._numbers.get(id_)) is not None]
            numbers = [number for number in numbers if self._rows[number]]
            scores = self._score_rows([self._rows[number] for number in numbers], vector)
            # Each is the id itself: those of removed texts have no number.
            known = [id_ for number in numbers if (id_ := self._ids[number]) is not None]
            return dict(zip(known, scores.tolist(), strict=True))

    def _score_rows(self, rows_by_text: Sequence[list[int]], vector: Floats) -> Floats:
        """Return the score of each text from the cosines of its rows."""
        if not rows_by_text:
            return np.zeros(0, dtype=np.float32)
        lengths = np.array([len(rows) for rows in rows_by_text])
        starts = np.cumsum(lengths) - lengths
        cosines = self._vectors.get([row for rows in rows_by_text for row in rows]) @ vector
        nearest = np.maximum.reduceat(cosines, starts)
        whole = np.add.reduceat(cosines, starts) / lengths
        return similarity.blend_scores(nearest, whole)

    def find_similar(
        self, own: Floats, *, floor: float, weights: Mapping[UUID, float], least: float, limit: int
    ) -> list[SimilarChunk]:
        """Return the chunks that are most similar to the vectors `own` of one text.

        Chunks are ranked by similarity times the weight of their text. Only texts with a weight are
        considered, and products of at least `least`.
        """
        with self._lock:
            self._check_open()
            if not self._used or not own.any():
                return []
            text_of = self._text_numbers[: self._used]
            scores, nearest, margin = similarity.compute_relative_similarity(
                self._vectors, own, used=self._used, floor=floor
            )
            by_text = np.zeros(len(self._ids) + 1, dtype=np.float32)
            for id_, weight in weights.items():
                if id_ in self._numbers:
                    by_text[self._numbers[id_]] = weight
            row_weights = by_text[text_of]
            # Nothing is like a text that the embedder could not read, whose vectors are zeros.
            own_nonzero: NDArray[np.bool_] = np.any(own != 0, axis=1)
            is_nonzero = self._vectors.are_nonzero(self._used) & own_nonzero[nearest]
            is_near = is_nonzero & (row_weights > 0) & (scores >= margin)
            rows, best = similarity.find_best_scores(
                np.where(is_near, scores * row_weights, np.float32(-2)), limit
            )
            found = []
            for row, product in zip(rows.tolist(), best.tolist(), strict=True):
                id_of_row = self._ids[text_of[row]]
                if id_of_row is not None and product >= least:
                    start, end = self._spans[row].tolist()
                    found.append(SimilarChunk(id_of_row, float(scores[row]), (start, end), int(nearest[row])))
            return found

    def _search_graph(
        self, graph: NeighbourGraph, vector: Floats, limit: int
    ) -> tuple[NDArray[np.int64], Floats]:
        rows = graph.find_nearest(vector, _ROWS_PER_TEXT * limit)
        rows = np.concatenate([rows, graph.list_outside_rows(self._used)]).astype(np.int64)
        rows = rows[self._text_numbers[rows] >= 0]
        return rows, self._vectors.get(rows) @ vector

    def _rank_texts(
        self, rows: NDArray[np.int64], cosines: Floats, limit: int, floor: float, vector: Floats
    ) -> list[NearText]:
        """Return the texts of the nearest of these rows, without rows below the floor."""
        best, scores = similarity.find_best_scores(cosines, _ROWS_PER_TEXT * limit)
        rows = rows[best[scores >= floor]]
        # Of each text the nearest row, and of so many texts those that can still be among the first.
        first = np.sort(np.unique(self._text_numbers[rows], return_index=True)[1])
        if len(first) > 2 * limit:
            first = first[scores[first] >= scores[first[2 * limit - 1]]]
        rows = rows[first]
        blended = self._score_rows(
            [self._rows[number] for number in self._text_numbers[rows].tolist()], vector
        )
        places, found = similarity.find_best_scores(blended, limit)
        rows = rows[places]
        numbers, spans = self._text_numbers[rows].tolist(), self._spans[rows].tolist()
        return [
            NearText(id_, score, (start, end))
            for number, score, (start, end) in zip(numbers, found.tolist(), spans, strict=True)
            if (id_ := self._ids[number]) is not None
        ]

    # --- the graph ----------------------------------------------------------------------------------

    def needs_graph(self, *, threshold: int = GRAPH_THRESHOLD) -> bool:
        """Return whether there are enough rows for a graph, or too many rows outside the present graph."""
        if not neighbour_graph.is_available():
            return False
        with self._lock:
            return self._used >= threshold and (self._graph is None or self._graph.needs_rebuild(self._used))

    def build_graph(self) -> None:
        """Build a new graph; searches continue meanwhile without it."""
        with self._lock:
            self._check_open()
            graph = NeighbourGraph(self.width)
            rows = np.flatnonzero(self._text_numbers[: self._used] >= 0)
            former = self._vectors.copy(rows)
        graph.build(former, rows, stop=lambda: self._closed)
        with self._lock:
            self._check_open()
            # What changed while it was built is looked through exactly.
            graph.mark_changed(self._vectors.find_changed(rows, former).tolist())
            self._graph = graph

    # --- snapshots -----------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return all vectors as bytes; they reveal the texts and must be sealed."""
        with self._lock:
            self._check_open()
            rows = np.array(
                [row for number in self._numbers.values() for row in self._rows[number]], dtype=np.int64
            )
            texts = [
                (id_, self._digests[id_], len(self._rows[number])) for id_, number in self._numbers.items()
            ]
            return vector_codec.pack_vectors(texts, spans=self._spans[rows], matrix=self._vectors.pack(rows))

    @classmethod
    def load(cls, data: bytes, *, width: int) -> "VectorsIndex":
        """Return the index from the bytes that `dump` returned; raise SnapshotRefused."""
        packed = vector_codec.unpack_vectors(data, width=width)
        index, rows = cls(width), len(packed.matrix)
        index._grow(max(_INITIAL_ROWS, rows + rows // 8))
        index._used = rows
        index._vectors.set_first(packed.matrix)
        index._spans[:rows] = packed.spans
        index._set_texts(packed.texts)
        return index

    def _set_texts(self, texts: Iterable[vector_codec.PackedText]) -> None:
        first = 0
        for number, (name, digest, rows) in enumerate(texts):
            self._ids.append(name)
            self._numbers[name], self._digests[name] = number, digest
            self._rows.append(list(range(first, first + rows)))
            self._text_numbers[first : first + rows] = number
            first += rows

    def size(self) -> int:
        """Return the approximate memory of the index in bytes."""
        with self._lock:
            graph = self._graph.size() if self._graph is not None else 0
            last = self._last.cosines.nbytes if self._last is not None else 0
            return int(
                self._vectors.nbytes
                + self._spans.nbytes
                + self._text_numbers.nbytes
                + 600 * len(self._numbers)
                + graph
                + last
            )

    def close(self) -> None:
        """Clear all vectors and close the index for good."""
        with self._lock:
            self._closed = True
            self._vectors, self._spans = VectorRows(self.width, 0), self._spans[:0].copy()
            self._text_numbers = self._text_numbers[:0].copy()
            self._used, self._graph, self._last, self._last_allowed = 0, None, None, None
            self._ids, self._free, self._rows = [], [], []
            self._numbers, self._digests = {}, {}

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed
