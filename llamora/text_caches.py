"""Caches by words of a diary, which are emptied when a diary is locked.

What `functools` or `re` remember by a word or a pattern stays in memory until enough others have come.
A diary that is locked leaves none of its words there.
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
    """Return a decorator for a function of a text, which remembers answers until a diary is locked."""

    def decorate(function: Callable[[str], _R]) -> _lru_cache_wrapper[_R]:
        cached = lru_cache(maxsize=most)(function)
        _caches.append(cached)
        return cached

    return decorate


def clear_text_caches() -> None:
    """Forget all answers, of everybody: the caches do not know whose word a word is."""
    for cached in _caches:
        cached.cache_clear()
