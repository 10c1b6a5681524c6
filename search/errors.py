"""Errors of search.

SearchError
    IndexClosed            closed          the vault was locked while the index was in use
    SnapshotRefused        torn, old, foreign, missing
    EmbedderUnavailable    absent, broken, width      there is no embedding model, or none that can be used
"""


class SearchError(Exception):
    """Search could not do what was asked; holds a code and no text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IndexClosed(SearchError):  # noqa: N818 - it states what happened
    """The index was closed for good."""

    def __init__(self) -> None:
        super().__init__("closed")


class SnapshotRefused(SearchError):  # noqa: N818 - it states what happened
    """A snapshot is not one that this person's index can be made of."""


class EmbedderUnavailable(SearchError):  # noqa: N818 - it states what happened
    """Nothing can be embedded; words still work."""
