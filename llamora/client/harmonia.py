"""A client with the seven methods of Harmonia's, for programs that were written for it."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llamora.client import memory_calls
from llamora.client.calls import Day
from llamora.client.memory_calls import MemoryObject
from llamora.client.sync_client import Llamora


class HarmoniaClient:
    """The seven calls of Harmonia's memory, over a diary.

    The arguments are those of `Llamora`, and `user_id`: the owner's name, or None. Answers are JSON objects
    as the server gives them. The errors are those of `llamora.client.errors`.

    >>> with HarmoniaClient(url, token=token) as memory:
    ...     stored = memory.store("The ferry leaves at six.")
    >>> stored["action"] in ("created", "pending")
    True
    """

    def __init__(self, url: str, *, token: str, user_id: str | None = None, **options: Any) -> None:
        self._diary = Llamora(url, token=token, **options)
        self._user_id = user_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._diary.close()

    def store(
        self, message: str, *, facts: "list[MemoryObject] | None" = None, idempotency_key: str | None = None
    ) -> MemoryObject:
        """Store a message, or facts given directly; `action` says what became of it, as in `Llamora.write`.

        >>> memory.store("The ferry leaves at six.", idempotency_key="ferry")["action"]
        'created'
        """
        call = memory_calls.store(
            message, facts=facts, user_id=self._user_id, idempotency_key=idempotency_key
        )
        return self._diary.send(call)

    def search(
        self,
        query: str,
        *,
        limit: int | None = None,
        offset: int | None = None,
        category: str | None = None,
        from_date: Day | None = None,
        to_date: Day | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> MemoryObject:
        """Search; `results` has what was found.

        >>> len(memory.search("kite", limit=5)["results"])
        1
        """
        call = memory_calls.search(
            query,
            limit=limit,
            offset=offset,
            category=category,
            from_date=from_date,
            to_date=to_date,
            min_confidence=min_confidence,
            max_confidence=max_confidence,
            sort_by=sort_by,
            sort_order=sort_order,
            user_id=self._user_id,
        )
        return self._diary.send(call)

    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
        from_date: Day | None = None,
        to_date: Day | None = None,
        category: str | None = None,
        sort_order: str | None = None,
    ) -> MemoryObject:
        """Return one page; `next_cursor` or `next_offset` says where the next one begins.

        >>> len(memory.list(limit=1)["memories"])
        1
        """
        call = memory_calls.list_page(
            limit=limit,
            offset=offset,
            cursor=cursor,
            from_date=from_date,
            to_date=to_date,
            category=category,
            sort_order=sort_order,
            user_id=self._user_id,
        )
        return self._diary.send(call)

    def get(self, memory_id: object) -> MemoryObject:
        """Return one; raise NotFound.

        >>> first = memory.list(limit=1)["memories"][0]
        >>> memory.get(first["id"])["id"] == first["id"]
        True
        """
        return self._diary.send(memory_calls.get(memory_id))

    def delete(self, memory_id: object) -> MemoryObject:
        """Delete one; raise NotFound.

        >>> memory.delete(memory.store("Not worth a line.")["id"])["deleted"]
        True
        """
        return self._diary.send(memory_calls.delete(memory_id))

    def export(
        self, path: str | os.PathLike[str], *, export_format: str = "json", overwrite: bool = False
    ) -> Path:
        """Save all in a file, complete or not at all; the format is "json", "csv", "markdown" or "text".

        >>> memory.export(folder / "memory.json").exists()
        True
        """
        return self._diary.download(memory_calls.export(export_format), path, overwrite=overwrite)

    def history(self, memory_id: object) -> MemoryObject:
        """Return how one changed.

        >>> first = memory.list(limit=1)["memories"][0]
        >>> len(memory.history(first["id"])["history"])
        1
        """
        return self._diary.send(memory_calls.get_history(memory_id))
