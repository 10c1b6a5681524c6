"""Caches of results computed from diary words, which are cleared when a diary is locked.

Caches of `functools` and `re` hold words and patterns until newer ones replace them. After a lock, no word of
that diary may stay in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

_R = TypeVar("_R")
_caches: Final[list[_lru_cache_wrapper[Any]]] = []


def cache_until_lock(most: int) -> Callable[[Callable[[str], _R]], _lru_cache_wrapper[_R]]:
    """Return a decorator that caches the results of a function of one text until any diary is locked.

    At most `most` results of a function are cached; the least recently used ones are dropped.
    """

    def decorate(function: Callable[[str], _R]) -> _lru_cache_wrapper[_R]:
        cached = lru_cache(maxsize=most)(function)
        _caches.append(cached)
        return cached

    return decorate


def clear_text_caches() -> None:
    """Clear all caches, for all people, because cached results are not stored by owner."""
    for cached in _caches:
        cached.cache_clear()
