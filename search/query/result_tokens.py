"""Tokens for recent queries, used in links so that the linked page can highlight the words found."""

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Final

from search.query.parser import SearchQuery

_MAX_QUERIES: Final = 64


class ResultTokens:
    """The latest search queries of one person, each under a random token.

    A URL contains the token instead of the words of the query.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._queries: OrderedDict[str, SearchQuery] = OrderedDict()

    def create_token(self, query: SearchQuery) -> str:
        """Store a query, and return its token. An equal query that is stored already has the same token."""
        with self._lock:
            token = next(
                (known for known, one in self._queries.items() if one == query), secrets.token_urlsafe(9)
            )
            self._queries[token] = query
            self._queries.move_to_end(token)
            while len(self._queries) > _MAX_QUERIES:
                self._queries.popitem(last=False)
            return token

    def get_query(self, token: str) -> SearchQuery | None:
        """Return the query stored under a token, or None if it is no longer stored."""
        with self._lock:
            return self._queries.get(token)

    def clear(self) -> None:
        """Delete all stored search queries with their result tokens."""
        with self._lock:
            self._queries.clear()
