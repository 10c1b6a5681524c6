"""The household's model server: one finder for the whole process.

Pages ask `status()`, `state()` and `describe()` from their threads; jobs ask `current()` on the loop.
"""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.status import ModelStatus, ModelUnavailable

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

__all__ = [
    "ModelStatus",
    "ModelUnavailable",
    "describe",
    "discover",
    "get_server",
    "get_state",
    "get_status",
    "start_discovery",
    "stop",
]


class _DiscoveryHolder:
    """Holds the finder; made at its first use, from whichever thread that is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._discovery: ModelDiscovery | None = None

    def get(self) -> ModelDiscovery:
        with self._lock:
            if self._discovery is None:
                self._discovery = ModelDiscovery(ModelConfig.from_settings())
            return self._discovery

    def replace(self, finder: ModelDiscovery | None) -> ModelDiscovery | None:
        """Set another finder, or none; gives back the one before."""
        with self._lock:
            before, self._discovery = self._discovery, finder
            return before


_holder = _DiscoveryHolder()


def start_discovery() -> None:
    """Start looking for the model in the running loop; returns at once."""
    _holder.get().start()


async def discover(*, no_model: bool = False, patience: float = 10.0) -> None:
    """Look for the model, or for none, and wait until that has led somewhere."""
    if no_model:
        _holder.replace(ModelDiscovery(replace(ModelConfig.from_settings(), off=True)))
    await _holder.get().wait_until_known(patience=patience)


def get_status() -> ModelStatus:
    """What is known of the model; from any thread, never waits."""
    return _holder.get().status()


def get_state() -> str:
    """One word: off, looking, loading, ready or away."""
    return get_status().state


def describe() -> str:
    """The model in one calm sentence."""
    return get_status().message


async def get_server() -> "ModelServer":
    """The model server, or `Away` with the reason's code."""
    return await _holder.get().get_server()


async def stop() -> None:
    """Let go of everything, within a second; a later call begins anew."""
    finder = _holder.replace(None)
    if finder is not None:
        await finder.close()
