"""Metadata of a note, sealed in its column `head`: what a list of notes shows without opening their texts.

A JSON object:

    path     relative, with slashes: "knowledge/garden.md"
    size     of the file, in bytes
    source   name of the program or import it is from, one line; missing if it was written here
    came_in  true if a file with exactly this text was imported; an export then writes that file unchanged

and the other keys of `diary.origins.provenance`, about its import and its owner's claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from diary.origins.provenance import Provenance
from llamora.source_names import clean_source_name

UNKNOWN: Final = Provenance()


@dataclass(frozen=True, kw_only=True)
class NoteMetadata:
    """The path, size and provenance of a note."""

    path: str = field(repr=False)
    size: int
    came_in: bool = False
    provenance: Provenance = field(default=UNKNOWN, repr=False)

    @classmethod
    def create(
        cls, path: str, content: str | bytes, *, provenance: Provenance = UNKNOWN, came_in: bool = False
    ) -> Self:
        """Return the metadata of a note with this text or these bytes."""
        provenance = replace(provenance, source=clean_source_name(provenance.source))
        return cls(path=path, size=len(encode_content(content)), provenance=provenance, came_in=came_in)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the metadata of a row, from the JSON of its column."""
        return cls(
            path=str(row["path"]),
            size=int(row["size"]),
            came_in=row.get("came_in") is True,
            provenance=Provenance.from_json({**row, "from": row.get("source")}),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the metadata as JSON for the column."""
        row = {"path": self.path, "size": self.size}
        row |= {"came_in": True} if self.came_in else {}
        said = self.provenance.to_json() or {}
        return row | {"source" if name == "from" else name: value for name, value in said.items()}


def encode_content(content: str | bytes) -> bytes:
    """Return the content of a note as the bytes of a file."""
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
