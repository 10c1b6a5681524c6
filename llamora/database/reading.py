"""One steady view of the database for a long reading, which keeps nobody from writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def reading() -> Iterator[None]:
    """Read everything inside as it is now; what others write meanwhile is not seen."""
    connection: Any = transaction.get_connection()  # the SQLite backend's attribute is not in the stubs
    before = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = before
