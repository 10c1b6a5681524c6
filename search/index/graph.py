"""A nearest-neighbour graph (hnswlib) over very many vectors, as an alternative to comparing all of them.

Comparing 100,000 vectors takes about 10 ms and is exact; building their graph takes most of a minute and
doubles the memory. So a graph is built only from `GRAPH_THRESHOLD` rows on (`search.benchmarks` measures
both). hnswlib forbids queries while rows are added: nothing is added to a finished graph, and rows that have
changed since are compared exactly. hnswlib's `save_index` would write the vectors to disk unencrypted, so a
graph is not saved between sessions; only its vectors are.

hnswlib exists for Python 3.11 and 3.12 only, and is imported when a graph is built. Without it every search
compares all vectors, which is slower and exact.
"""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from search.errors import IndexClosed
from search.index.similarity import VectorRows

GRAPH_THRESHOLD: Final = 150_000
_LINKS: Final = 24
_BUILD_EFFORT: Final = 200
_SEARCH_EFFORT: Final = 800
_BATCH: Final = 1000


def is_available() -> bool:
    """Return whether hnswlib is installed."""
    return find_spec("hnswlib") is not None


class NeighbourGraph:
    """An hnswlib graph of the rows it was built from; the caller holds the lock during queries."""

    def __init__(self, width: int) -> None:
        import hnswlib  # noqa: PLC0415 - absent on Python 3.13 and later

        self._width = width
        self._index = hnswlib.Index(space="ip", dim=width)
        self._built = 0
        self._stale: set[int] = set()

    def build(self, vectors: VectorRows, rows: NDArray[np.int64], *, stop: Callable[[], bool]) -> None:
        """Build the graph of the vectors in these rows, in batches.

        Raise IndexClosed if `stop` returns True between two batches.
        """
        self._index.init_index(max_elements=len(rows), ef_construction=_BUILD_EFFORT, M=_LINKS)
        for start in range(0, len(rows), _BATCH):
            if stop():
                raise IndexClosed
            some = slice(start, start + _BATCH)
            self._index.add_items(vectors.get(some), rows[some], num_threads=1)
        self._index.set_ef(_SEARCH_EFFORT)
        self._built = int(rows.max(initial=-1)) + 1

    def mark_changed(self, rows: Iterable[int]) -> None:
        """Record that these rows have changed since the graph was built."""
        self._stale.update(rows)

    def find_nearest(self, vector: NDArray[np.float32], many: int) -> NDArray[np.int64]:
        """Return up to `many` of the nearest rows, without those that changed since the graph was built."""
        many = min(many, self._index.get_current_count(), _SEARCH_EFFORT)
        labels, _ = self._index.knn_query(vector, k=many, num_threads=1)
        fresh = [label for label in labels[0].tolist() if label not in self._stale]
        return np.array(fresh, dtype=np.int64)

    def list_outside_rows(self, used: int) -> NDArray[np.int64]:
        """Return which of the first `used` rows are not in the graph, or have changed since it was built."""
        added = np.arange(self._built, used, dtype=np.int64)
        stale = [row for row in self._stale if row < self._built]
        return np.concatenate([added, np.array(sorted(stale), dtype=np.int64)])

    def needs_rebuild(self, used: int) -> bool:
        """Return whether so many rows are outside the graph that it should be rebuilt."""
        return len(self._stale) + max(0, used - self._built) > max(2000, self._built // 10)

    def size(self) -> int:
        """Return the approximate memory of the graph in bytes."""
        return int(self._index.get_current_count()) * (self._width * 4 + _LINKS * 2 * 4 + 60)
