"""Access to the household's model server, through the only `ModelDiscovery` of this process.

Pages call `get_status`, `check_again`, `get_state` and `get_message` from their threads; jobs call
`get_server` on the event loop.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.status import ModelStatus
from llamora.threads import yield_turn

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer


class _DiscoveryHolder:
    """Holder of the discovery, which is created at first use in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._discovery: ModelDiscovery | None = None

    def get(self) -> ModelDiscovery:
        with self._lock:
            if self._discovery is None:
                self._discovery = ModelDiscovery(ModelConfig.from_settings())
            return self._discovery

    def replace(self, discovery: ModelDiscovery | None) -> ModelDiscovery | None:
        """Set or (with None) remove the discovery of this process; return the previous one."""
        with self._lock:
            previous, self._discovery = self._discovery, discovery
            return previous


_holder = _DiscoveryHolder()


async def discover(
    *, no_model: bool = False, config: ModelConfig | None = None, patience: float = 10.0
) -> None:
    """Look for a model server and wait for the result; `no_model` switches the model off.

    `config` replaces the settings for this process.
    """
    if no_model or config is not None:
        _holder.replace(ModelDiscovery(replace(config or ModelConfig.from_settings(), off=no_model)))
    await _holder.get().wait_until_known(patience=patience)


def get_status() -> ModelStatus:
    """Return the status of the model. May be called from any thread and never waits."""
    return _holder.get().status()


def check_again(*, patience: float = 2.0) -> ModelStatus:
    """Check the model again and return its status. Do not call it on the event loop."""
    discovery = _holder.get()
    with yield_turn():
        discovery.check_from_thread(patience=patience)
    return discovery.status()


def get_state() -> str:
    """Return the state of the model: off, looking, loading, ready or away."""
    return get_status().state


def get_message() -> str:
    """Return the message for people about the status of the model."""
    return get_status().message


def get_config() -> ModelConfig:
    """Return the settings of the model in this process."""
    return _holder.get().config


def get_file_in_use() -> Path | None:
    """Return the model file that this process runs, or None."""
    return _holder.get().get_file_in_use()


def notice_change() -> None:
    """Check the model server at once, after the chosen model or a model file has changed.

    May be called from any thread.
    """
    _holder.get().notice_change()


async def get_server() -> "ModelServer":
    """Return the model server; raise ModelUnavailable with a code."""
    return await _holder.get().get_server()


async def stop() -> None:
    """Stop the search for model servers, and close all connections to them, within a second.

    If another function of this module is called later, the search starts again.
    """
    discovery = _holder.replace(None)
    if discovery is not None:
        await discovery.close()
