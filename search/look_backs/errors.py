"""Errors of look-backs.

NothingToLookBackOn     no entry of these days is its owner's own; `not_read` counts the others
NoLookBackModel         no model can write one; `code` says why
"""


class NothingToLookBackOn(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for days on which their owner wrote nothing."""

    def __init__(self, not_read: int) -> None:
        super().__init__()
        self.not_read = not_read


class NoLookBackModel(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised where no model can write; `code` is that of the model's state."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
