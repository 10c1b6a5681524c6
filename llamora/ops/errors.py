"""Why `up` does not start, in a sentence that says what to do."""


class OperationRefused(Exception):  # noqa: N818 - it is an answer to the keeper, not a fault
    """The house cannot be opened like this; the text is for the person at the terminal."""
