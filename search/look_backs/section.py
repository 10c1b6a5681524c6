"""The section of a look-back: its template data, and its HTML for pages and tabs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.preferences.languages import get_date_words
from diary.generation.page_tasks import PageSection
from diary.generation.prompt_record import PromptRecord
from diary.hooks import SourceFact
from llamora.inference.job import LIVE_STATES
from llamora.inference.messages import describe_author
from search import messages


@dataclass(frozen=True, kw_only=True)
class LookBackSource:
    """A numbered day of a look-back: its URL, and whether its recap was read instead of its entries."""

    number: int
    day: str
    address: str
    language: str
    is_recap: bool = False


@dataclass(frozen=True, kw_only=True)
class LookBackView:
    """Template data of a look-back; `html` is the final part of its text, `tail` the part that may change."""

    id: UUID
    state: str
    html: SafeString = field(repr=False)
    tail: SafeString = field(default=SafeString(), repr=False)
    note: str = ""
    # What the model thinks before it writes, while it does; plain text.
    thoughts: str = field(default="", repr=False)
    sources: Sequence[LookBackSource] = ()
    facts: Sequence[SourceFact] = field(default=(), repr=False)
    # Sentences below the sources: who wrote it, and what was not read.
    remarks: Sequence[str] = ()

    @property
    def is_live(self) -> bool:
        """Whether the look-back is in progress or waits for the model."""
        return self.state in LIVE_STATES


def render_section(view: LookBackView, *, owner_id: UUID) -> PageSection:
    """Return the page section of a look-back: its HTML, and the id of its element.

    The HTML has no CSRF token: the script of the page sends one.
    """
    context = {"look_back": view, "owner_id": owner_id}
    html = render_to_string("search/fragments/look_back.html", context)
    return PageSection(f"look-back-{view.id}", html)


def build_source(*, number: int, day: date, is_recap: bool, language: str) -> LookBackSource:
    """Return a source with the URL of its day."""
    return LookBackSource(
        number=number,
        day=get_date_words(language).day(day),
        address=reverse("day", args=[day]),
        language=language,
        is_recap=is_recap,
    )


def list_remarks(record: PromptRecord, *, days_left_out: int) -> list[str]:
    """Return the sentences shown below the sources."""
    remarks = (
        messages.get_days_left_out_message(days_left_out),
        messages.LOOK_BACK_CUT if record.is_cut else "",
        messages.get_not_read_message(record.not_read),
        describe_author(record.author),
    )
    return [remark for remark in remarks if remark]
