"""Errors of the management commands, and sentences about errors of the database and of files."""

from django.db import DatabaseError

from accounts import error_messages
from llamora.database import NotWritten, condition


class OperationRefused(Exception):  # noqa: N818 - an answer to the administrator, not a fault
    """Raised when a command cannot continue; its text gives the reason and instructions."""


def describe_error(error: BaseException) -> str | None:
    """Return a sentence about an error of the environment, such as a full disk, or None for a bug."""
    match error:
        case NotWritten():
            return error_messages.get_not_written_message(error)
        case DatabaseError():
            return condition.describe_database_error(error)
        case OSError():
            file = f" ({error.filename})" if error.filename else ""
            return f"This did not work: {error.strerror or type(error).__name__}{file}."
        case EOFError():
            return "Nothing was entered, so nothing was done."
        case KeyboardInterrupt():
            return "Stopped."
    return None
