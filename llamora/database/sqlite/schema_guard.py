"""A check of the schema at the beginning of each write transaction, before any trigger can run.

Anyone who can write to the database can create a trigger that skips or changes what is written, without an
error. Each change of the schema changes its number (`PRAGMA schema_version`). If that differs from the number
at the connection's last check, the transaction first removes what is not ours, under the write lock. Whoever
plants a trigger can set the number back, but a connection that has read the schema before does not know that
trigger, and a new connection is always checked.

What is ours is known to a higher layer, which registers the function that removes the rest.
"""

from collections.abc import Callable
from typing import Any

# Removes unknown parts of the schema of a connection, and returns their number.
Remover = Callable[[Any], int]
_removers: list[Remover] = []


def register_remover(remove: Remover) -> None:
    """Register a function that removes unknown triggers and views. `remove_unknown` will call it.

    Registering it again has no effect.
    """
    if remove not in _removers:
        _removers.append(remove)


def remove_unknown(connection: Any) -> int:
    """Remove what is not ours from the schema, inside a write transaction; return the number of removals."""
    return sum(remove(connection) for remove in _removers)
