"""What is indexed, and what is found again, as plain values. Pure."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that can be found.

    `stamp` differs whenever its envelope does, so that a kept index knows what to read again without
    opening it; `digest` differs only with the text, so that a new envelope alone re-embeds nothing.
    """

    id: UUID
    kind: str
    entry: UUID
    day: date
    stamp: bytes
    digest: bytes = field(repr=False)
    text: str = field(repr=False)
