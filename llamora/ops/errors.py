"""Errors of the commands."""


class OperationRefused(Exception):  # noqa: N818 - an answer to the administrator, not a fault
    """A command that does not go on; its text says why and what to do, for the person at the terminal."""
