"""The sealed head of a note: what a list shows of it, without its text.

A JSON object:

    path     relative, with slashes: "knowledge/garden.md"
    size     of the file, in bytes
    source   name of the program or import it is from, one line; missing where it was written here
    came_in  true where a file came in with exactly this text; a workspace is written with it as it came
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from llamora.source_names import clean_source_name


@dataclass(frozen=True, kw_only=True)
class NoteHead:
    """Parts of a note that a list shows."""

    path: str = field(repr=False)
    size: int
    source: str = field(default="", repr=False)
    came_in: bool = False

    @classmethod
    def create(cls, path: str, content: str | bytes, *, source: str = "", came_in: bool = False) -> Self:
        """Return the head of a note with this text or these bytes."""
        return cls(
            path=path, size=len(encode_content(content)), source=clean_source_name(source), came_in=came_in
        )

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the head of a row."""
        return cls(
            path=str(row["path"]),
            size=int(row["size"]),
            source=str(row.get("source", "")),
            came_in=row.get("came_in") is True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the value of the column."""
        row = {"path": self.path, "size": self.size, "source": self.source, "came_in": self.came_in}
        return {name: value for name, value in row.items() if name in ("path", "size") or value}


def encode_content(content: str | bytes) -> bytes:
    """Return the bytes of a file with this content."""
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
