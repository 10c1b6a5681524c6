"""Versions of the protocol and their features. Pure.

Up to 2025-11-25, client and server negotiate the version with `initialize`, and the header
`MCP-Protocol-Version` repeats it in later requests. From 2026-07-28 on, there is no handshake, and each
request states its version.
"""

from typing import Final

STATELESS_VERSIONS: Final = ("2026-07-28",)
# Newest first.
HANDSHAKE_VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
KNOWN_VERSIONS: Final = (*STATELESS_VERSIONS, *HANDSHAKE_VERSIONS)
# The only version in which several messages may come in one body. A request without the header has it.
BATCH_VERSION: Final = "2025-03-26"


def negotiate(offered: str) -> str:
    """Return the version for the response to `initialize`: the client's if supported, else our newest."""
    return offered if offered in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]


def is_stateless(version: str) -> bool:
    """Return whether a version has no handshake."""
    return version in STATELESS_VERSIONS


def has_annotations(version: str) -> bool:
    """Return whether tools in a version have annotations, such as read-only."""
    return _is_at_least(version, "2025-03-26")


def has_structured_content(version: str) -> bool:
    """Return whether tools in a version have a title, an output schema and structured results."""
    return _is_at_least(version, "2025-06-18")


def _is_at_least(version: str, least: str) -> bool:
    return KNOWN_VERSIONS.index(version) <= KNOWN_VERSIONS.index(least)
