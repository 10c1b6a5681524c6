"""Formats of exported files, each with its media type and the suffix of its files."""

from enum import Enum
from typing import Final

_TYPES: Final = {
    "zip": ("application/zip", "zip"),
    "json": ("application/json", "json"),
    "csv": ("text/csv; charset=utf-8", "csv"),
    "markdown": ("text/markdown; charset=utf-8", "md"),
    "text": ("text/plain; charset=utf-8", "txt"),
}


class FileFormat(Enum):
    """Base class of the enums whose members are file formats in which something can be exported.

    The value of each member is a key of `_TYPES`.
    """

    @property
    def media_type(self) -> str:
        """The media type of a file in this format."""
        return _TYPES[self.value][0]

    @property
    def suffix(self) -> str:
        """The suffix of the name of a file in this format, without a dot."""
        return _TYPES[self.value][1]


class ExportFormat(FileFormat):
    """A format of the export of a whole diary."""

    ZIP = "zip"
    JSON = "json"
    MARKDOWN = "markdown"


class TextFormat(FileFormat):
    """A format of the export of one kind of texts, such as facts."""

    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    TEXT = "text"
