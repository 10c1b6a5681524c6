"""Conditions of queries that SQLite would otherwise plan badly."""

from typing import Any
from uuid import UUID

from django.db.models import F, Func, UUIDField
from django.db.models.lookups import Exact


def build_owner_condition(owner_id: UUID) -> "Exact[Any]":
    """Return the condition for rows of an owner, for queries with `id__in`.

    With a plain condition, and from about five ids on, SQLite looks the rows up by their owner instead, and
    reads all that this person has. The sign makes the column an expression, for which it uses no index.
    """
    column = Func(F("owner_id"), template="+%(expressions)s", output_field=UUIDField())
    return Exact(column, owner_id)
