"""The content of an Inbox item, in the format in which items and sealed boxes store it.

A JSON object; all values but the text are optional:

    text     the text of the future entry
    from     name of the program, app or file, one line of at most 80 characters
    time     moment when it was written, according to the sender, in ISO 8601 with its offset; in a box, if
             the sender gives none, the moment when it arrived
    sender   id of the access token that sent it
    import   id of the import that added it
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings

from diary.entries.text_validation import InvalidText, clean_entry_text
from llamora.source_names import clean_source_name


@dataclass(frozen=True, kw_only=True)
class InboxText:
    """The content of an Inbox item; `create` validates it."""

    text: str = field(repr=False)
    source: str = field(default="", repr=False)
    written_at: datetime | None = None
    sender_id: UUID | None = None
    import_id: UUID | None = None

    @classmethod
    def create(
        cls,
        text: str,
        *,
        source: str = "",
        written_at: datetime | None = None,
        sender_id: UUID | None = None,
        import_id: UUID | None = None,
    ) -> Self:
        """Return the content of an item, with its text validated and its source made displayable.

        Raise InvalidText if the text is not valid for an entry.
        """
        return cls(
            text=clean_entry_text(text, limit=settings.MAX_TEXT),
            source=clean_source_name(source),
            written_at=_to_utc(written_at),
            sender_id=sender_id,
            import_id=import_id,
        )

    @classmethod
    def from_json(cls, value: object) -> Self | None:
        """Return the content in JSON that an unknown sender may have written.

        Return None if the text in it is not valid for an entry.
        """
        body: dict[str, Any] = value if isinstance(value, dict) else {}
        text, source = body.get("text"), body.get("from")
        try:
            return cls.create(
                text if isinstance(text, str) else "",
                source=source if isinstance(source, str) else "",
                written_at=_parse_moment(body.get("time")),
                sender_id=_parse_uuid(body.get("sender")),
                import_id=_parse_uuid(body.get("import")),
            )
        except InvalidText:
            return None

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON for storage."""
        body = {
            "text": self.text,
            "from": self.source,
            "time": self.written_at.isoformat() if self.written_at else None,
            "sender": str(self.sender_id) if self.sender_id else None,
            "import": str(self.import_id) if self.import_id else None,
        }
        return {key: value for key, value in body.items() if value}


def _to_utc(moment: datetime | None) -> datetime | None:
    """Return a moment as it can be stored, or None if it has no offset or lies before or after all dates."""
    try:
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (OverflowError, ValueError):
        return None


def _parse_uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parse_moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
