"""Errors of search.

SearchError
    IndexClosed            closed          the vault was locked while the index was in use
    SnapshotRefused        torn, old, foreign, missing
    EmbedderUnavailable    absent, broken, width      there is no embedding model, or none that can be used
"""


class SearchError(Exception):
    """Base of the errors of search; each has a code and contains no text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IndexClosed(SearchError):  # noqa: N818 - it states what happened
    """Raised when the index was closed for good."""

    def __init__(self) -> None:
        super().__init__("closed")


class SnapshotRefused(SearchError):  # noqa: N818 - it states what happened
    """Raised for a snapshot that this person's index cannot be loaded from."""


class EmbedderUnavailable(SearchError):  # noqa: N818 - it states what happened
    """Raised when no embedder can be loaded; search by words still works."""
