"""The household's model server: one finder for the whole process.

Pages ask `status()`, `state()` and `describe()` from their threads; jobs ask `current()` on the loop.
"""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llamora.inference.finder import Finder
from llamora.inference.status import Away, Status
from llamora.inference.wish import Wish

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

__all__ = ["Away", "Status", "begin", "current", "describe", "start", "state", "status", "stop"]


class _Household:
    """Holds the finder; made at its first use, from whichever thread that is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._finder: Finder | None = None

    def finder(self) -> Finder:
        with self._lock:
            if self._finder is None:
                self._finder = Finder(Wish.from_settings())
            return self._finder

    def put(self, finder: Finder | None) -> Finder | None:
        """Set another finder, or none; gives back the one before."""
        with self._lock:
            before, self._finder = self._finder, finder
            return before


_household = _Household()


def begin() -> None:
    """Start looking for the model in the running loop; returns at once."""
    _household.finder().begin()


async def start(*, no_model: bool = False, patience: float = 10.0) -> None:
    """Look for the model, or for none, and wait until that has led somewhere."""
    if no_model:
        _household.put(Finder(replace(Wish.from_settings(), off=True)))
    await _household.finder().settled(patience=patience)


def status() -> Status:
    """What is known of the model; from any thread, never waits."""
    return _household.finder().status()


def state() -> str:
    """One word: off, looking, loading, ready or away."""
    return status().state


def describe() -> str:
    """The model in one calm sentence."""
    return status().sentence


async def current() -> "ModelServer":
    """The model server, or `Away` with the reason's code."""
    return await _household.finder().current()


async def stop() -> None:
    """Let go of everything, within a second; a later call begins anew."""
    finder = _household.put(None)
    if finder is not None:
        await finder.close()
