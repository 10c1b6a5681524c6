"""Primary keys that are known before the insert, so that envelopes can be bound to them."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562): it sorts by creation time, so inserts stay at the end of the index."""
    return uuid7()
