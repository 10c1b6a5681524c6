"""The household's model server: the one discovery of this process.

Pages call `get_status`, `get_state` and `describe` from their threads; jobs call `get_server` on the loop.
"""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.status import ModelStatus

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer


class _DiscoveryHolder:
    """Holds the discovery, which is created at its first use, in whatever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._discovery: ModelDiscovery | None = None

    def get(self) -> ModelDiscovery:
        with self._lock:
            if self._discovery is None:
                self._discovery = ModelDiscovery(ModelConfig.from_settings())
            return self._discovery

    def replace(self, discovery: ModelDiscovery | None) -> ModelDiscovery | None:
        """Set another discovery, or none; return the previous one."""
        with self._lock:
            previous, self._discovery = self._discovery, discovery
            return previous


_holder = _DiscoveryHolder()


def start_discovery() -> None:
    """Start looking for the model in the running loop; returns at once."""
    _holder.get().start()


async def discover(*, no_model: bool = False, patience: float = 10.0) -> None:
    """Look for the model and wait for a result; with `no_model`, switch the model off."""
    if no_model:
        _holder.replace(ModelDiscovery(replace(ModelConfig.from_settings(), off=True)))
    await _holder.get().wait_until_known(patience=patience)


def get_status() -> ModelStatus:
    """Return the status of the model. Callable from any thread, never waits."""
    return _holder.get().status()


def get_state() -> str:
    """Return the state of the model: off, looking, loading, ready or away."""
    return get_status().state


def describe() -> str:
    """Return the message for people about the state of the model."""
    return get_status().message


async def get_server() -> "ModelServer":
    """Return the model server; raise ModelUnavailable with the code of the reason."""
    return await _holder.get().get_server()


async def stop() -> None:
    """Stop looking and close all connections, within a second; a later call starts again."""
    discovery = _holder.replace(None)
    if discovery is not None:
        await discovery.close()
