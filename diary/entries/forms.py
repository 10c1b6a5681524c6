"""Parser of submitted HTML forms with an entry or a draft. Later validation refuses invalid UTF-8."""

from dataclasses import dataclass
from datetime import date
from typing import Any
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
    """A posted text, and the revisions of the entry and the draft on which it is based.

    If a form posts a new column of `Entry`, the field for it belongs here.
    """

    text: str
    revision: int
    key: UUID
    entry_id: UUID | None
    draft_revision: int
    based_on: int | None
    previous_text: str | None

    @property
    def displayable_text(self) -> str:
        """The text as a form shows it again: each line end is LF, and each lone surrogate is U+FFFD."""
        return normalize_newlines(self.text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))

    @property
    def entry_values(self) -> dict[str, Any]:
        """The arguments of `save_entry`."""
        return {"text": self.text, "key": self.key, "draft_revision": self.revision}


def parse_submitted_text(request: HttpRequest) -> SubmittedText:
    """Return the submitted fields of an HTML form for a new entry, a draft or an edit."""
    return SubmittedText(
        text=_read_text(request),
        revision=_parse_revision(request.POST.get("revision", "")),
        key=_parse_uuid(request.POST.get("key", "")) or new_id(),
        entry_id=_parse_uuid(request.POST.get("entry", "")),
        draft_revision=_parse_revision(request.POST.get("draft_revision", "")),
        based_on=_parse_revision(request.POST.get("based_on", "")) or None,
        previous_text=normalize_newlines(previous) if (previous := request.POST.get("over")) else None,
    )


def parse_chosen_day(text: str) -> date | None:
    """Return the day that was typed or picked, or None if it is not a valid date."""
    try:
        return days.parse_day(text.strip())
    except ValueError:
        return None


def _parse_revision(text: str) -> int:
    """Return the revision, or 0 for an invalid value; no row has revision 0."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return number if number < _REVISION_LIMIT else 0


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _read_text(request: HttpRequest) -> str:
    """Return the text, with bytes that are not UTF-8 as lone surrogates, which validation refuses.

    Django would decode such bytes to U+FFFD, which a person may also have typed.
    """
    text = request.POST.get("text", "")
    if _REPLACEMENT_CHARACTER not in text or request.content_type != "application/x-www-form-urlencoded":
        return text
    fields = parse_qsl(request.body.decode("ascii", "surrogateescape"), True, errors="surrogateescape")
    return next((value for name, value in reversed(fields) if name == "text"), text)
