"""URL converter for several traces: their ids, separated by slashes."""

from typing import Final
from uuid import UUID

MAX_TRACES: Final = 5
_UUID_PATTERN: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class IdsConverter:
    """One to five distinct ids; a repeated id matches no URL."""

    regex = f"{_UUID_PATTERN}(?:/{_UUID_PATTERN}){{0,{MAX_TRACES - 1}}}"

    def to_python(self, value: str) -> tuple[UUID, ...]:
        """Return the ids in a part of a URL; raise ValueError if an id is invalid or repeated."""
        ids = tuple(UUID(part) for part in value.split("/"))
        if len(set(ids)) < len(ids):
            raise ValueError("an id is named twice")
        return ids

    def to_url(self, value: tuple[UUID, ...]) -> str:
        """Return the ids in URL form."""
        return "/".join(str(id_) for id_ in value)
