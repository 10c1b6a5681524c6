"""Texts of the days that a look-back reads: a recap or the entries of each day, and facts from entries.

Only entries that their owner wrote are read, and recaps generated from such entries alone. Needs the owner's
keyring in force.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from accounts.models import Person
from diary import days
from diary.entries.queries import get_digest_key
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, PromptEntry, PromptFact
from diary.generation.prompt_entries import build_prompt_entries, omit_middle
from diary.models import TRUSTED_ORIGINS, Entry, EntryQuerySet
from diary.recaps.services import compute_digest, find_recap
from llamora.crypto import keyed_digest
from search.look_backs.periods import Period
from traces.facts.recall import load_facts_of_entries

# Of one day, in the first attempt to make a prompt that fits.
MAX_CHARACTERS: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class DayText:
    """A numbered source of a look-back: the recap or the entries of a day, and the facts from them."""

    number: int
    day: date
    entry_ids: tuple[UUID, ...]
    recap: str = field(default="", repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    facts: tuple[PromptFact, ...] = field(default=(), repr=False)
    is_cut: bool = False

    def describe(self) -> dict[str, object]:
        """Return the day with its recap, entries and facts, as they appear in the prompt."""
        return {
            "number": self.number,
            "day": f"{days.weekday_name(self.day)}, {days.format_day(self.day)}",
            "summary": self.recap,
            "entries": self.texts,
            "facts": tuple(fact.text for fact in self.facts),
            "only_a_part": self.is_cut,
        }

    def cut(self, length: int) -> "DayText":
        """Return the day with its entries cut to about this many characters; a recap is not cut."""
        if sum(map(len, self.texts)) <= length:
            return self
        each = max(length // len(self.texts), MIN_ENTRY_CHARACTERS)
        # The first ones, where even so little of each is too much.
        texts = tuple(omit_middle(text, limit=each) for text in self.texts[: max(1, length // each)])
        return replace(self, texts=texts, is_cut=self.is_cut or texts != self.texts)

    def halve(self) -> "DayText | None":
        """Return the day with half of its text, or None if there is too little."""
        half = sum(map(len, self.texts)) // 2
        shorter = self.cut(half)
        return shorter if half > MIN_ENTRY_CHARACTERS and shorter != self else None


@dataclass(frozen=True, kw_only=True)
class LookBackDays:
    """The days of a week or a month that a look-back reads, oldest first, with a digest of their entries.

    `not_read` counts the entries that their owner did not write.
    """

    days: tuple[DayText, ...] = ()
    not_read: int = 0
    digest: str = ""


def load_days(person: Person, period: Period, *, with_facts: bool) -> LookBackDays:
    """Return the readable days of a week or a month; with `with_facts`, with the facts of their entries."""
    entries = list(_select_entries(person.id, period))
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.day].append(entry)
    facts = load_facts_of_entries(person.id, [entry.id for entry in entries] if with_facts else [])
    key = get_digest_key(person.id) if entries else b""
    found: list[DayText] = []
    for day, of_day in by_day.items():
        prompt_entries = build_prompt_entries(of_day, zone=person.time_zone)
        if not prompt_entries:
            # Not one of them opens.
            continue
        of_facts = (fact for one in prompt_entries if one.id for fact in facts.get(one.id, ()))
        found.append(
            DayText(
                number=len(found) + 1,
                day=day,
                entry_ids=tuple(one.id for one in prompt_entries if one.id),
                facts=tuple(PromptFact(id=fact.id, text=fact.text) for fact in of_facts),
                recap=(recap := _find_clean_recap(person.id, day, prompt_entries, key=key)),
                texts=() if recap else tuple(one.text for one in prompt_entries),
            )
        )
    return LookBackDays(
        days=tuple(found),
        not_read=count_not_read(person.id, period),
        digest=_compute_digest(key, [(entry.id, entry.day, entry.revision) for entry in entries]),
    )


def compute_present_digest(person: Person, period: Period) -> str:
    """Return the BLAKE2 digest of the present entries of a week or a month, or "" if there are none.

    This decrypts no entry.
    """
    revisions = list(_select_entries(person.id, period).values_list("id", "day", "revision"))
    return _compute_digest(get_digest_key(person.id) if revisions else b"", revisions)


def _select_entries(owner_id: UUID, period: Period) -> EntryQuerySet:
    entries = Entry.objects.for_owner(owner_id).only_trusted()
    return entries.filter(day__gte=period.first, day__lte=period.last).order_by("day", "created_at", "id")


def count_not_read(owner_id: UUID, period: Period) -> int:
    """Return how many entries of a week or a month are left out because their owner did not write them."""
    entries = Entry.objects.for_owner(owner_id).exclude(origin__in=TRUSTED_ORIGINS)
    return entries.filter(day__gte=period.first, day__lte=period.last).count()


def _find_clean_recap(owner_id: UUID, day: date, entries: Sequence[PromptEntry], *, key: bytes) -> str:
    recap = find_recap(owner_id, day, digest=compute_digest(key, day, entries))
    return recap.text if recap is not None and recap.is_clean else ""


def _compute_digest(key: bytes, revisions: Iterable[tuple[UUID, date, int]]) -> str:
    """Return a digest of entries, which changes if one of them is changed, moved or deleted; "" if none."""
    parts = [f"{id_} {day} {revision}".encode() for id_, day, revision in revisions]
    return keyed_digest(key, parts).hex() if parts else ""
