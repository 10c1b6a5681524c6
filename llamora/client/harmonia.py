"""Client with the methods of the client of Harmonia, another program that stores facts for assistants.

health_check, store_memory, search_memories, list_memories,
get_memory, delete_memory, export_memories                  return what Harmonia's client returns
store, search, list, get, delete, export, history           return the server's JSON
accept, undo                                                have no counterpart in Harmonia
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from llamora.client import calls, memory_calls
from llamora.client.calls import Day
from llamora.client.memory_calls import MemoryObject
from llamora.client.sync_client import Llamora


@dataclass(frozen=True, kw_only=True)
class HarmoniaResponse:
    """A successful response, with the fields that a response has in the client of Harmonia.

    Harmonia is another program that stores facts for assistants. Errors are raised as exceptions.
    """

    success: bool = True
    data: MemoryObject = field(default_factory=dict, repr=False)
    error: str | None = None
    status_code: int = 200


class HarmoniaClient:
    """Client for the facts of a diary, with the method names of the client of Harmonia, another program.

    It also has methods with shorter names.

    The arguments are those of `Llamora`, and `user_id`: the owner's name, or None. The errors are those of
    `llamora.client.errors`. Stored facts wait until the owner accepts them; a search finds them only after
    that.

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
        self,
        message: str | None = None,
        *,
        facts: "list[MemoryObject] | None" = None,
        idempotency_key: str | None = None,
    ) -> MemoryObject:
        """Store a message, facts, or both; `action` in the result says what was done.

        >>> memory.store(facts=[{"content": "You own a sledge"}])["facts"][0]["content"]
        'You own a sledge'
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
        boost_recent: bool | None = None,
        boost_categories: str | None = None,
    ) -> MemoryObject:
        """Search facts; the result has them in `results`.

        >>> len(memory.search("kayak", limit=5)["results"])
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
            boost_recent=boost_recent,
            boost_categories=boost_categories,
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
        state: str | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> MemoryObject:
        """Return one page of facts; `next_cursor` or `next_offset` gives the next one.

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
            state=state,
            min_confidence=min_confidence,
            max_confidence=max_confidence,
            sort_by=sort_by,
            sort_order=sort_order,
            user_id=self._user_id,
        )
        return self._diary.send(call)

    def get(self, memory_id: object) -> MemoryObject:
        """Return a fact; raise NotFound.

        >>> first = memory.list(limit=1)["memories"][0]
        >>> memory.get(first["id"])["id"] == first["id"]
        True
        """
        return self._diary.send(memory_calls.get(memory_id))

    def delete(self, memory_id: object) -> MemoryObject:
        """Delete a fact for good; raise NotFound.

        >>> memory.store(facts=[{"content": "Not worth a line"}])["action"]
        'proposed'
        >>> waiting = memory.list(state="proposed", limit=1)["memories"][0]
        >>> memory.delete(waiting["id"])["deleted"]
        True
        """
        return self._diary.send(memory_calls.delete(memory_id))

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        export_format: str = "json",
        category: str | None = None,
        from_date: Day | None = None,
        to_date: Day | None = None,
        state: str | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Save all facts in a file; the format is "json", "csv", "markdown" or "text".

        >>> memory.export(folder / "memory.json").exists()
        True
        """
        call = memory_calls.export(
            export_format,
            category=category,
            from_date=from_date,
            to_date=to_date,
            state=state,
            min_confidence=min_confidence,
            max_confidence=max_confidence,
            user_id=self._user_id,
        )
        return self._diary.download(call, path, overwrite=overwrite)

    def history(self, memory_id: object) -> MemoryObject:
        """Return the changes of a fact.

        >>> first = memory.list(limit=1)["memories"][0]
        >>> len(memory.history(first["id"])["history"]) > 0
        True
        """
        return self._diary.send(memory_calls.get_history(memory_id))

    def accept(self, memory_id: object, *, strategy: str | None = None) -> MemoryObject:
        """Accept a proposal; `strategy` says what happens to the fact that it may contradict or repeat."""
        return self._diary.send(memory_calls.accept(memory_id, strategy=strategy))

    def undo(self, memory_id: object) -> MemoryObject:
        """Undo the last change of a fact."""
        return self._diary.send(memory_calls.undo(memory_id))

    # --- With the names and answers of Harmonia's client ---------------------------------------------------

    def health_check(self) -> HarmoniaResponse:
        """Return whether the server works.

        >>> memory.health_check().data["status"]
        'ok'
        """
        health = self._diary.send(calls.get_health())
        return HarmoniaResponse(data={"status": health.status, "version": health.version})

    def store_memory(
        self,
        user_id: str | None,
        message: str,
        session_id: str | None = None,
        metadata: MemoryObject | None = None,
        resolution_strategy: str = "auto",
    ) -> HarmoniaResponse:
        """Store a message, in which a model can find memories (facts); named as in Harmonia's client.

        If the token may write entries, the message becomes an entry; if it may also propose facts, a model on
        the server's machine looks for facts in that entry. Otherwise the message waits in the Inbox.

        >>> memory.store_memory(None, "The ferry leaves at seven.").data["action"] in ("created", "pending")
        True
        """
        call = memory_calls.store(
            message,
            facts=None,
            user_id=user_id,
            idempotency_key=None,
            session_id=session_id,
            metadata=metadata,
            resolution_strategy=resolution_strategy,
        )
        return HarmoniaResponse(data=self._diary.send(call))

    def search_memories(self, user_id: str | None, query: str, **conditions: Any) -> HarmoniaResponse:
        """Search facts, which Harmonia calls memories. The parameters are those of `search`.

        >>> len(memory.search_memories(None, "kayak", limit=5).data["results"])
        1
        """
        conditions.pop("include_metadata", None)
        return HarmoniaResponse(
            data=self._diary.send(memory_calls.search(query, user_id=user_id, **conditions))
        )

    def list_memories(self, user_id: str | None, **conditions: Any) -> HarmoniaResponse:
        """Return one page of facts, which Harmonia calls memories. The parameters are those of `list`.

        >>> memory.list_memories(None, limit=1).data["pagination"]["has_more"] in (True, False)
        True
        """
        if conditions.pop("include_inactive", False):
            conditions.setdefault("state", "all")
        return HarmoniaResponse(data=self._diary.send(memory_calls.list_page(user_id=user_id, **conditions)))

    def get_memory(self, memory_id: object) -> HarmoniaResponse:
        """Return a response with a fact as `memory`, and its changes as `update_history`; raise NotFound.

        >>> first = memory.list(limit=1)["memories"][0]
        >>> memory.get_memory(first["id"]).data["memory"]["content"] == first["content"]
        True
        """
        found, changed = self.get(memory_id), self.history(memory_id)
        return HarmoniaResponse(data={"memory": found, "update_history": changed["history"]})

    def delete_memory(self, memory_id: object) -> HarmoniaResponse:
        """Delete a fact for good; raise NotFound."""
        return HarmoniaResponse(data=self.delete(memory_id))

    def export_memories(
        self,
        user_id: str | None,
        format: str = "json",  # noqa: A002 - its name there
        include_metadata: bool = False,
        **conditions: Any,
    ) -> HarmoniaResponse:
        """Return all facts as one text, the value of `data["data"]` in the response.

        >>> memory.export_memories(None, format="text").data["data"].startswith("You own a kayak")
        True
        """
        del include_metadata
        call = memory_calls.export(format, user_id=user_id, **conditions)
        with TemporaryDirectory() as folder:
            text = self._diary.download(call, Path(folder) / "memories").read_text(encoding="utf-8")
        return HarmoniaResponse(data={"data": text, "format": format})
