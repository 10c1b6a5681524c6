"""Primary keys that are created before the insert, because envelopes are bound to them."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562); these sort by creation time, so new keys are appended to the index."""
    return uuid7()
