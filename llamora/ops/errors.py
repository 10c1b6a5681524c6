"""Errors of the management commands."""


class OperationRefused(Exception):  # noqa: N818 - an answer to the administrator, not a fault
    """Raised when a command cannot continue; its text has the reason and instructions."""
