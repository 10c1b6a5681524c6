"""What a page may send: read leniently where it only steers, kept exactly where it is text."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import HttpRequest

from diary import days
from diary.entries.text_validation import normalize_newlines
from llamora.fields import new_id

_REPLACEMENT_CHARACTER = "\ufffd"
_REVISION_LIMIT = 2**31


@dataclass(frozen=True, kw_only=True)
class SubmittedText:
    """A text as it was sent, with what it was based on."""

    text: str
    revision: int
    key: UUID
    entry_id: UUID | None
    draft_revision: int
    based_on: int | None
    previous_text: str | None

    @property
    def displayable_text(self) -> str:
        """Return the text as a page can show it again: half characters as U+FFFD."""
        return normalize_newlines(self.text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))


def parse_submitted_text(request: HttpRequest) -> SubmittedText:
    """Read the fields of a composer, a draft or an edit form."""
    return SubmittedText(
        text=_read_text(request),
        revision=_parse_revision(request.POST.get("revision", "")),
        key=_parse_uuid(request.POST.get("key", "")) or new_id(),
        entry_id=_parse_uuid(request.POST.get("entry", "")),
        draft_revision=_parse_revision(request.POST.get("draft_revision", "")),
        based_on=_parse_revision(request.POST.get("based_on", "")) or None,
        previous_text=normalize_newlines(over) if (over := request.POST.get("over")) else None,
    )


def parse_chosen_day(text: str) -> date | None:
    """Return the day that was typed or picked, or None for what is none."""
    try:
        return days.parse_day(text.strip())
    except ValueError:
        return None


def _parse_revision(text: str) -> int:
    """Return a revision; what is none is 0, on which no row is based."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return number if number < _REVISION_LIMIT else 0


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _read_text(request: HttpRequest) -> str:
    """Return the text; bytes that are no UTF-8 become lone surrogates, which no text may hold.

    Django puts U+FFFD in their place, and then nobody could tell them from that character itself.
    """
    text = request.POST.get("text", "")
    if _REPLACEMENT_CHARACTER not in text or request.content_type != "application/x-www-form-urlencoded":
        return text
    fields = parse_qsl(request.body.decode("ascii", "surrogateescape"), True, errors="surrogateescape")
    return next((value for name, value in reversed(fields) if name == "text"), text)
