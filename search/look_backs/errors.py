"""Errors of look-backs.

NothingToLookBackOn     no entry of these days is its owner's own; `not_read` counts the others
NoLookBackModel         no model is available; `code` says why
"""


class NothingToLookBackOn(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for days without an entry that their owner wrote."""

    def __init__(self, not_read: int) -> None:
        super().__init__()
        self.not_read = not_read


class NoLookBackModel(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised if no model is available; `code` is the state of the model."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
