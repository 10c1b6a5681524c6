"""The section of an answer under its question: its template data, and its HTML for pages and tabs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from accounts.preferences.languages import get_date_words
from diary.generation.page_tasks import PageSection
from diary.generation.prompt_record import PromptRecord
from diary.hooks import SourceFact
from diary.messages import PERSONA_LEFT_OUT, READ_IMPORTED
from diary.notes.recall import build_note_address
from diary.origins.labels import OriginLabel, build_label
from llamora.inference.job import LIVE_STATES, Author
from llamora.inference.messages import describe_author
from search import messages
from search.ask.sources import StoredSource

_TAG: Final = re.compile(r"(<[^<>]*>)")
_NUMBERS: Final = re.compile(r"\[([0-9]{1,3}(?:[ ]?[,;–-][ ]?[0-9]{1,3}){0,11})\]")
_NUMBER: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, kw_only=True)
class SourceView:
    """Template data of a numbered source. If the text was changed or deleted, the snippet is empty.

    An entry has a day, a note a name.
    """

    number: int
    day: str = ""
    name: str = field(default="", repr=False)
    address: str
    snippet: str = field(repr=False)
    label: OriginLabel | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """Template data of an answer; `html` is the part that is final, `tail` the part that may still change."""

    id: UUID
    session_id: UUID
    state: str
    html: SafeString = field(repr=False)
    tail: SafeString = field(default=SafeString(), repr=False)
    note: str = ""
    # What the model thinks before it writes, while it does; plain text.
    thoughts: str = field(default="", repr=False)
    sources: Sequence[SourceView] = ()
    facts: Sequence[SourceFact] = field(default=(), repr=False)
    # Sentences below the sources: who wrote it, and what was not read.
    remarks: Sequence[str] = ()

    @property
    def is_live(self) -> bool:
        """Whether the answer is in progress or waits for the model."""
        return self.state in LIVE_STATES


def render_answer(view: AnswerView, *, owner_id: UUID) -> str:
    """Return the HTML of an answer. It has no CSRF token: the HTML form or script of the page sends one."""
    return render_to_string("search/fragments/answer.html", {"answer": view, "owner_id": owner_id})


def render_section(view: AnswerView, *, owner_id: UUID) -> PageSection:
    """Return the page section of an answer: its HTML, and the id of its element."""
    return PageSection(f"answer-{view.id}", render_answer(view, owner_id=owner_id))


def build_source_view(
    question_id: UUID,
    *,
    number: int,
    entry_id: UUID,
    day: date,
    origin: str,
    snippet: str,
    language: str,
    is_there: bool = True,
) -> SourceView:
    """Return the template data of an entry that is a source of an answer.

    Its URL contains no word of the diary. The page at this URL highlights the passage.
    """
    query = urlencode({"found": f"{question_id}.{number}"})
    return SourceView(
        number=number,
        day=get_date_words(language).day(day),
        address=f"{reverse('day', args=[day])}?{query}#entry-{entry_id}" if is_there else "",
        snippet=" ".join(snippet.split()),
        label=build_label(origin, source=""),
    )


def build_note_source_view(number: int, *, stored: StoredSource, name: str, snippet: str) -> SourceView:
    """Return the template data of a note that is a source of an answer.

    Its URL contains the position of the passage. If the note was deleted, `name` is empty, and there is no
    URL.
    """
    return SourceView(
        number=number,
        name=name or messages.DELETED_NOTE,
        address=build_note_address(stored.id, revision=stored.revision, span=stored.span) if name else "",
        snippet=" ".join(snippet.split()),
    )


def list_remarks(*, has_read_imported: bool, record: PromptRecord, author: Author) -> list[str]:
    """Return the sentences shown below the sources."""
    remarks = (
        READ_IMPORTED if has_read_imported else "",
        PERSONA_LEFT_OUT if record.is_persona_left_out else "",
        messages.get_not_read_message(record.not_read),
        describe_author(author),
    )
    return [remark for remark in remarks if remark]


def parse_source_token(token: str) -> tuple[UUID, int] | None:
    """Return the question's id and the source's number in `token`, a part of a URL, or None if invalid."""
    question, dot, number = token.partition(".")
    if not dot or not (number.isascii() and number.isdigit() and len(number) < 4):
        return None
    try:
        return UUID(question), int(number)
    except ValueError:
        return None


def link_source_numbers(html: SafeString, *, question_id: UUID, count: int) -> SafeString:
    """Return the HTML of an answer with its source numbers as links to the sources below."""
    parts = _TAG.split(html)
    # Every second part is a tag.
    parts[::2] = [_NUMBERS.sub(lambda found: _link(found, question_id, count), text) for text in parts[::2]]
    return mark_safe("".join(parts))  # noqa: S308 - HTML that was sanitised, with links to this page


def _link(found: re.Match[str], question_id: UUID, count: int) -> str:
    return _NUMBER.sub(
        lambda number: (
            f'<a class="source-number" href="#source-{question_id}-{int(number[0])}">{int(number[0])}</a>'
            if 1 <= int(number[0]) <= count
            else number[0]
        ),
        found[0],
    )
