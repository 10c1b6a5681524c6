"""Query conditions that are written so that SQLite uses the right index."""

from typing import Any
from uuid import UUID

from django.db.models import F, Func, UUIDField
from django.db.models.lookups import Exact


def build_owner_condition(owner_id: UUID) -> "Exact[Any]":
    """Return the condition `+owner_id = ...`. With it, SQLite looks rows up by their ids, not by the owner.

    With a plain condition and about five ids or more, SQLite looks rows up by their owner instead of their
    ids, and so reads all rows of this person. The plus sign makes the column an expression, for which SQLite
    uses no index.
    """
    column = Func(F("owner_id"), template="+%(expressions)s", output_field=UUIDField())
    return Exact(column, owner_id)
