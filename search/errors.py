"""Errors of search.

SearchError
    IndexClosed            closed          the vault was locked while the index was in use
    IndexBusy              busy            another thread used the index for longer than the caller waits
    SnapshotRefused        torn, old, foreign, missing
    EmbedderUnavailable    there is no embedder, or none that can be used
        off                the settings say so
        package            the package of the included embedder is not installed
        absent             the model that is set was not downloaded
        folder, unknown    the folder that is set lacks a file, or it is not clear which model is in it
        broken             the model could not be loaded
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


class IndexBusy(SearchError):  # noqa: N818 - it states what happened
    """Raised when another thread uses the index for longer than the caller waits."""

    def __init__(self) -> None:
        super().__init__("busy")


class SnapshotRefused(SearchError):  # noqa: N818 - it states what happened
    """Raised for a snapshot from which this person's index cannot be loaded."""


class EmbedderUnavailable(SearchError):  # noqa: N818 - it states what happened
    """Raised when no embedder can be loaded; search by words still works.

    `detail` is for the log and `doctor`: the missing file, or the cause of the failure.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.detail = detail
