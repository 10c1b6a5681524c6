"""The generation of a reply: collects the input, builds the prompt, and saves the text in a row."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import ClassVar, NamedTuple
from uuid import UUID

from django.db.models import Subquery
from django.utils import timezone

from accounts.models import Person
from diary import days, hooks, messages
from diary.entries.queries import list_own_ids
from diary.errors import ObjectNotFound
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, fit_persona, get_token_budget
from diary.generation.page_tasks import PageSection, RenderedText
from diary.generation.prompt_context import PromptContext, PromptFact, PromptNote, fit_to_window
from diary.generation.prompt_entries import build_earlier_entries, build_prompt_entries, build_prompt_entry
from diary.generation.prompt_record import PromptRecord, find_read_realms
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.generation.unique_jobs import may_send_unrequested
from diary.models import Entry, EntryQuerySet, Reply, ReplyKind
from diary.notes.recall import read_remembered
from diary.replies.errors import EntryDamaged
from diary.replies.reply_kinds import DEFAULT_CHOICE, ReplyKindChoice
from diary.replies.section import ReplyView, build_job_view, render_section
from llamora.crypto import EnvelopeError, Realm, current_realm_keyring
from llamora.database import CachedQuery
from llamora.inference import model_server
from llamora.inference.job import LIVE_STATES, Job, JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.llm.deltas import ChatMessages

EARLIER_REPLIES = 2
MAX_REPLIES_EXAMINED = 2 * EARLIER_REPLIES  # some of them may be empty
MAX_REPLY_CHARACTERS = 2_000  # of an earlier one: enough not to repeat it


@dataclass(frozen=True, kw_only=True)
class ReplyTask:
    """Task that writes a reply to an entry, in a new row, or if `is_retry`, in the reply's existing row."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    entry_id: UUID
    context: PromptContext
    choice: ReplyKindChoice = DEFAULT_CHOICE
    # The text of its owner's persona note.
    persona: str = field(default="", repr=False)
    is_retry: bool = False
    record: PromptRecord = field(default_factory=PromptRecord)

    @property
    def day(self) -> date:
        """The day of the entry."""
        return self.context.day

    @property
    def page_subject(self) -> date:
        """The day whose page shows the reply."""
        return self.day

    @property
    def subject(self) -> UUID:
        """The id of the reply: an entry may have several replies in progress (see `UniqueTask.subject`)."""
        return self.id

    def build_view(self, job: Job, text: RenderedText) -> ReplyView:
        """Return the reply with the text generated so far."""
        return build_job_view(
            job,
            text,
            entry_id=self.entry_id,
            kind_label=self.choice.label,
            read_imported=messages.READ_IMPORTED if self.record.is_untrusted else "",
        )

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the reply under its entry."""
        return render_section(self.build_view(job, text), owner_id=self.owner_id)

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with as much of the context as fits, and leave space for the reply."""
        budget = get_token_budget(server, share=share)
        persona = await fit_persona(
            self.persona, beside=self.choice.instruction, server=server, budget=budget
        )
        render = partial(_render_prompt, self.choice, persona)
        messages, sent = await fit_to_window(
            self.context, limit=budget.prompt, render=render, count=server.count_message_tokens
        )
        self._record_entries(sent)
        self.record.has_persona, self.record.is_persona_left_out = bool(persona), persona != self.persona
        return build_prompt(
            self.choice.kind.value,
            _get_values(self.choice, persona, sent),
            messages=messages,
            budget=budget,
            entries=len(self.record.entries),
            allows_heads=self.choice.kind == ReplyKind.OWN,
            allows_json=self.choice.kind == ReplyKind.OWN,
            uses_sampling=True,
        )

    def _record_entries(self, sent: PromptContext) -> None:
        """Record the entries in the prompt, for the sources of the reply."""
        before = (*self.context.recalled, *self.context.earlier)
        refs = [(one.id, one.day or self.day) for one in (*before, self.context.entry) if one.id]
        dropped = len(before) - len(sent.recalled) - len(sent.earlier)
        self.record.notes = [note.id for note in sent.notes]
        self.record.notes_left_out = len(self.context.notes) - len(sent.notes)
        self.record.left_out, self.record.entries = refs[:dropped], refs[dropped:]
        self.record.facts = [fact.id for fact in sent.facts]
        self.record.replies = len(sent.replies)
        self.record.replies_left_out = len(self.context.replies) - len(sent.replies)
        self.record.is_cut = sent.is_cut or (
            any(one.is_cut for one in sent.recalled) or any(one.is_cut for one in sent.notes)
        )

    def _record_json(self) -> dict[str, object]:
        return {**self.record.to_json(), **self.choice.to_json()}

    def create_row(self) -> None:
        """Create the row of the reply without text, or reset the row for a retry."""
        ensure_unlocked()
        if self.is_retry:
            row = Reply.objects.filter(id=self.id, owner_id=self.owner_id)
            row.update(state=JobState.WAITING, reason="", finished_at=None)
            return
        kind = self.choice.kind.value
        reply = Reply(id=self.id, owner_id=self.owner_id, entry_id=self.entry_id, kind=kind, text="")
        reply.read = self._record_json()
        reply.save(force_insert=True)

    def save(self, outcome: JobOutcome) -> None:
        """Save the text so far; raise RowDeleted if the reply was deleted."""
        reply = Reply.objects.defer("text", "read").filter(id=self.id, owner_id=self.owner_id).first()
        if reply is None:
            raise RowDeleted
        reply.text, reply.state, reply.reason = outcome.text, outcome.state.value, outcome.reason
        self.record.author = outcome.author
        self.record.bind_to_text(outcome.text)
        reply.finished_at = None if outcome.state in LIVE_STATES else timezone.now()
        reply.read = self._record_json()
        reply.save(update_fields=["text", "read", "state", "reason", "finished_at"])

    def set_state(self, outcome: JobOutcome) -> None:
        """Save the state of the reply, and the reason for it.

        This needs no key.
        """
        Reply.objects.filter(id=self.id).update(
            state=outcome.state.value, reason=outcome.reason, finished_at=timezone.now()
        )


class ReplyInput(NamedTuple):
    """The context of a reply's prompt, and for each recalled entry the reason why it was included.

    `realms` are the realms, besides entries, whose texts were read for its earlier replies.
    """

    context: PromptContext
    recalled_by: tuple[UUID, ...] = ()
    near: tuple[UUID, ...] = ()
    not_read: int = 0
    realms: frozenset[Realm] = frozenset()


class _EarlierReply(NamedTuple):
    text: str
    realms: frozenset[Realm]


def gather_input(*, person: Person, entry_id: UUID, choice: ReplyKindChoice) -> ReplyInput:
    """Load the entry, earlier entries of the day, recalled entries, and earlier replies to the entry.

    For a summary, load only the entry. Beside a trusted entry, only trusted entries are read, and replies
    that were generated from trusted texts alone. Beside an untrusted entry, only untrusted entries and the
    earlier replies to it are read. Raise ObjectNotFound, or EntryDamaged.
    """
    *earlier, entry = _list_entries_up_to(owner_id=person.id, entry_id=entry_id)
    prompt_entry = build_prompt_entry(entry, zone=person.time_zone)
    if prompt_entry is None:
        raise EntryDamaged
    if choice.kind == ReplyKind.SUMMARY:
        return ReplyInput(PromptContext(day=entry.day, entry=prompt_entry))
    recalled = hooks.recall_entries(entry, by=choice.traces)
    alike = [one for one in earlier if one.is_trusted == entry.is_trusted]
    replies = _list_earlier_replies(entry)
    context = PromptContext(
        day=entry.day,
        entry=prompt_entry,
        recalled=build_earlier_entries(recalled.entries, zone=person.time_zone, near=recalled.near),
        earlier=build_prompt_entries(alike, zone=person.time_zone),
        replies=tuple(reply.text for reply in replies),
        notes=tuple(_list_notes(entry)),
        facts=tuple(PromptFact(id=fact.id, text=fact.text) for fact in hooks.recall_facts(entry)),
    )
    not_read = len(earlier) - len(alike)
    realms = frozenset[Realm]().union(*(reply.realms for reply in replies))
    return ReplyInput(context, tuple(recalled.by), tuple(recalled.near), not_read, realms)


def _list_notes(entry: Entry) -> list[PromptNote]:
    """Return the notes that are read for an entry, the least important first.

    No note is sent to a model on another machine, since the person did not choose it for this reply.
    """
    if not entry.is_trusted or not may_send_unrequested(model_server.get_status()):
        return []
    remembered = read_remembered(current_realm_keyring())
    return [*hooks.recall_notes(entry)[::-1], *([remembered] if remembered else [])]


def _entries_of_same_day(owner_id: UUID, entry_id: UUID) -> EntryQuerySet:
    own = Entry.objects.for_owner(owner_id)
    return own.filter(day=Subquery(own.filter(id=entry_id).values("day")))


_same_day_query: CachedQuery[Entry] = CachedQuery(_entries_of_same_day)


def _list_entries_up_to(*, owner_id: UUID, entry_id: UUID) -> list[Entry]:
    """Return the entries of a day up to and including this one, in page order; raise ObjectNotFound."""
    so_far: list[Entry] = []
    for entry in _same_day_query(owner_id=owner_id, entry_id=entry_id):
        so_far.append(entry)
        if entry.id == entry_id:
            return so_far
    raise ObjectNotFound


_latest_replies_query: CachedQuery[Reply] = CachedQuery(
    lambda owner_id, entry_id: (
        Reply.objects.filter(owner_id=owner_id, entry_id=entry_id)
        .exclude(state__in=LIVE_STATES)
        .order_by("-created_at")[:MAX_REPLIES_EXAMINED]
    )
)


def _list_earlier_replies(entry: Entry) -> list[_EarlierReply]:
    rows = _latest_replies_query(owner_id=entry.owner_id, entry_id=entry.id)
    replies = [reply for row in rows if (reply := _load_earlier(row, of_trusted=entry.is_trusted))]
    return replies[:EARLIER_REPLIES][::-1]


def _load_earlier(reply: Reply, *, of_trusted: bool) -> _EarlierReply | None:
    """Return a reply for the prompt, or None if it is empty, damaged, or may not be read.

    Beside a trusted entry (`of_trusted`), only a reply that was generated from trusted texts alone may be
    read.
    """
    try:
        text, read = str(reply.text), reply.read
    except EnvelopeError:
        return None
    record = PromptRecord.from_json(read)
    is_readable = not of_trusted or (
        record is not None and record.is_clean(text) and _are_trusted(reply.owner_id, record.source_ids)
    )
    if not is_readable or not text[:MAX_REPLY_CHARACTERS].strip():
        return None
    return _EarlierReply(text[:MAX_REPLY_CHARACTERS], find_read_realms(read, text))


def _are_trusted(owner_id: UUID, entry_ids: Collection[UUID]) -> bool:
    """Return whether all these entries are their owner's own now; a claim of one may have been undone.

    A deleted entry does not count as its owner's own, since its origin cannot be checked any more.
    """
    return list_own_ids(owner_id, entry_ids).issuperset(entry_ids)


def _render_prompt(choice: ReplyKindChoice, persona: str, context: PromptContext) -> ChatMessages:
    return prompt_templates.render_prompt(choice.kind.value, _get_values(choice, persona, context))


def _get_values(choice: ReplyKindChoice, persona: str, context: PromptContext) -> dict[str, object]:
    # A short entry may not show its language.
    around = " ".join(one.text for one in (*context.earlier, *context.recalled))
    return {
        **describe_language(context.entry.text, around),
        "wish": choice.instruction,
        "persona": persona,
        "weekday": days.weekday_name(context.day),
        "day": days.format_day(context.day),
        "recalled": context.recalled,
        "earlier": context.earlier,
        "entry": context.entry,
        "is_cut": context.is_cut,
        "replies": context.replies,
        "facts": context.facts,
        "notes": context.notes,
    }
