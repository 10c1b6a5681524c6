"""Versions of the protocol. Pure.

Up to 2025-11-25 a client and a server agree on one with `initialize`, and the header `MCP-Protocol-Version`
names it in later requests. From 2026-07-28 on each request names its version itself, and nothing comes first.
"""

from typing import Final

STATELESS_VERSIONS: Final = ("2026-07-28",)
# Newest first.
HANDSHAKE_VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
KNOWN_VERSIONS: Final = (*STATELESS_VERSIONS, *HANDSHAKE_VERSIONS)
# The only version in which several messages may come in one body. A request without the header has it.
BATCH_VERSION: Final = "2025-03-26"


def negotiate(offered: str) -> str:
    """Return the version in which `initialize` is answered: the client's own, or our newest that has it."""
    return offered if offered in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]


def is_stateless(version: str) -> bool:
    """Return whether each request of a version stands by itself."""
    return version in STATELESS_VERSIONS


def has_annotations(version: str) -> bool:
    """Return whether tools of a version say whether they only read."""
    return _is_at_least(version, "2025-03-26")


def has_structured_content(version: str) -> bool:
    """Return whether tools of a version have a title and a schema of what they return, and return it."""
    return _is_at_least(version, "2025-06-18")


def _is_at_least(version: str, least: str) -> bool:
    return KNOWN_VERSIONS.index(version) <= KNOWN_VERSIONS.index(least)
