"""Calls for facts, compatible with those of two other programs, LocalGPT and Harmonia.

Their responses are unparsed JSON objects, because those programs read fields by name. If the server does not
have a call, NotFound is raised.
"""

from collections.abc import Mapping
from typing import Any, Final

from llamora.client.calls import ApiCall, Day, format_day, format_id, make_key
from llamora.client.errors import Invalid

MemoryObject = dict[str, Any]
MEMORY_FORMATS: Final = ("json", "csv", "markdown", "text")
FACT_STATES: Final = ("accepted", "proposed", "ended", "archived", "all")
STRATEGIES: Final = (
    "update_timestamp",
    "replace",
    "merge",
    "link",
    "create_new",
    "keep_both",
    "archive_old",
)
_PATH: Final = "/api/v1/memory"


def _parse_object(value: Any) -> MemoryObject:
    return value if isinstance(value, dict) else {"items": value}


def _select(**values: Any) -> MemoryObject:
    """Return the values that were given, days written as such."""
    return {
        name: format_day(value) if name.endswith("_date") else value
        for name, value in values.items()
        if value is not None
    }


def store(
    message: str | None,
    *,
    facts: list[MemoryObject] | None,
    user_id: str | None,
    idempotency_key: str | None,
    session_id: str | None = None,
    metadata: MemoryObject | None = None,
    resolution_strategy: str | None = None,
) -> ApiCall[MemoryObject]:
    """Return the call that stores a message or facts; its idempotency key makes it safe to repeat."""
    return ApiCall(
        method="POST",
        path=f"{_PATH}/store",
        body=_select(
            message=message,
            facts=facts,
            user_id=user_id,
            session_id=session_id,
            metadata=metadata,
            resolution_strategy=resolution_strategy,
        ),
        headers={"Idempotency-Key": make_key(idempotency_key)},
        parse=_parse_object,
        is_idempotent=True,
    )


def search(
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
    user_id: str | None = None,
) -> ApiCall[MemoryObject]:
    """Return the call that searches facts."""
    body = _select(
        query=query,
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
        user_id=user_id,
    )
    return _build_reading("POST", f"{_PATH}/search", body=body)


def list_page(
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
    user_id: str | None = None,
) -> ApiCall[MemoryObject]:
    """Return the call for one page of facts; without a state, of accepted ones."""
    named = _select(
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
        user_id=user_id,
    )
    return _build_reading("GET", f"{_PATH}/list", query={name: str(value) for name, value in named.items()})


def get(memory_id: object) -> ApiCall[MemoryObject]:
    """Return the call for a fact."""
    return _build_reading("GET", f"{_PATH}/{format_id(memory_id)}")


def get_history(memory_id: object) -> ApiCall[MemoryObject]:
    """Return the call for the changes of a fact."""
    return _build_reading("GET", f"{_PATH}/{format_id(memory_id)}/history")


def delete(memory_id: object) -> ApiCall[MemoryObject]:
    """Return the call that deletes a fact."""
    return _build_reading("DELETE", f"{_PATH}/{format_id(memory_id)}")


def accept(
    memory_id: object,
    *,
    strategy: str | None = None,
    earlier_id: object = None,
    content: str | None = None,
) -> ApiCall[MemoryObject]:
    """Return the call that accepts a proposal.

    `strategy` says what happens to an earlier fact that it contradicts or repeats.
    """
    earlier = None if earlier_id is None else format_id(earlier_id)
    return ApiCall(
        method="POST",
        path=f"{_PATH}/{format_id(memory_id)}/accept",
        body=_select(strategy=strategy, earlier_id=earlier, content=content),
        parse=_parse_object,
    )


def undo(memory_id: object) -> ApiCall[MemoryObject]:
    """Return the call that undoes the last change of a fact."""
    return ApiCall(method="POST", path=f"{_PATH}/{format_id(memory_id)}/undo", parse=_parse_object)


def export(
    export_format: str,
    *,
    category: str | None = None,
    from_date: Day | None = None,
    to_date: Day | None = None,
    state: str | None = None,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
    user_id: str | None = None,
) -> ApiCall[None]:
    """Return the call that exports all facts as a file; raise Invalid for an unknown format."""
    if export_format not in MEMORY_FORMATS:
        raise Invalid(f"The format is one of {', '.join(MEMORY_FORMATS)}.", field="format")
    named = _select(
        format=export_format,
        category=category,
        from_date=from_date,
        to_date=to_date,
        state=state,
        min_confidence=min_confidence,
        max_confidence=max_confidence,
        user_id=user_id,
    )
    return ApiCall(
        method="GET",
        path=f"{_PATH}/export",
        query={name: str(value) for name, value in named.items()},
        parse=lambda _: None,
        is_idempotent=True,
        is_slow=True,
    )


def search_texts(query: str, *, limit: int | None = None) -> ApiCall[MemoryObject]:
    """Return the call that searches the texts of the diary.

    Its path is the one that the program LocalGPT uses.
    """
    return _build_reading("POST", "/api/memory/search", body=_select(query=query, limit=limit))


def get_stats() -> ApiCall[MemoryObject]:
    """Return the call that counts the entries, the days with entries and the texts in the search index.

    Its path is the one that the program LocalGPT uses.
    """
    return _build_reading("GET", "/api/memory/stats")


def rebuild_index() -> ApiCall[MemoryObject]:
    """Return the call that starts a rebuild of the search index."""
    return _build_reading("POST", "/api/memory/reindex")


def run_heartbeat() -> ApiCall[MemoryObject]:
    """Return the call that starts one check-in: a model reads the owner's standing requests.

    LocalGPT calls this a heartbeat. The response contains what the model proposes.
    """
    return ApiCall(method="POST", path="/api/heartbeat", parse=_parse_object, is_slow=True)


def _build_reading(
    method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
) -> ApiCall[MemoryObject]:
    return ApiCall(
        method=method, path=path, query=query or {}, body=body, parse=_parse_object, is_idempotent=True
    )
