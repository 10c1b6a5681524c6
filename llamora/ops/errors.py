"""Errors of the management commands, and sentences about those of the database and of files."""

from django.db import DatabaseError

from accounts import error_messages
from llamora.database import NotWritten, condition


class OperationRefused(Exception):  # noqa: N818 - an answer to the administrator, not a fault
    """Raised when a command cannot continue; its text has the reason and instructions."""


def describe_error(error: BaseException) -> str | None:
    """Return a sentence about an error that no command can prevent, or None if the error is a fault."""
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
