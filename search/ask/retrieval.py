"""Retrieval of the passages that may answer a question, from the open index of the diary's owner.

Call these functions inside `in_force`, which makes the owner's keys available.

No model is asked here. The keyring may be that of a program, which opens no index: then the index that its
owner's unlocked browser opened is used. While the diary is locked there is none, and the question is refused.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from llamora.crypto import RealmKeyring, VaultLocked
from llamora.threads import yield_turn
from search.ask.errors import LOCKED, OPENING, IndexNotReady
from search.ask.passages import MAX_PASSAGES, FoundPassages, Passage, list_entry_ids, load_passages
from search.ask.ranking import rank_texts
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.unlocked_index import find_unlocked_index
from search.query.days import DayReader

# For as long a question waits while an index is being opened, as after a restart.
OPENING_WAIT_SECONDS: Final = 2.0


def retrieve(
    keyring: RealmKeyring, question: str, *, reader: DayReader, of_untrusted: bool | None = False
) -> FoundPassages:
    """Return the passages that may answer a question, best first; raise IndexNotReady.

    `of_untrusted` is whether to read untrusted entries instead of trusted ones; with None, read those that
    include the best text. The others are only counted, and take no place from those that are read.
    """
    index = _find_index(keyring)
    try:
        indexes.poll_changes(index)
        asked = everything = rank_texts(index, question, reader=reader)
        untrusted = list_entry_ids(keyring.owner, of_untrusted=True)
        if of_untrusted is None:
            best = everything.select(everything.ids)
            of_untrusted = bool(best) and best[0] in untrusted
        hidden = list_entry_ids(keyring.owner, of_untrusted=False) if of_untrusted else untrusted
        if hidden:
            asked = rank_texts(index, question, reader=reader, hidden=hidden)
    except IndexClosed:
        # Locked or evicted while it was asked.
        raise IndexNotReady(OPENING) from None
    except sqlite3.Error as error:
        indexes.discard(index, error)
        raise IndexNotReady(OPENING) from None
    found = load_passages(keyring.owner, asked, of_untrusted=of_untrusted)
    return replace(
        found, not_read=len(everything.evidence.find_evident(id_ for id_ in everything.ids if id_ in hidden))
    )


def build_day_reader(person: Person, *, now: datetime) -> DayReader:
    """Return the parser of days in a person's language and time zone."""
    return DayReader(now.astimezone(load_time_zone(person.time_zone)), language=person.language)


def add_passages(found: FoundPassages, further: Sequence[Passage]) -> FoundPassages:
    """Return the passages followed by further ones, each entry once."""
    known = {passage.entry_id for passage in found.passages}
    new = [passage for passage in further if passage.entry_id not in known]
    return replace(found, passages=(*found.passages, *new)[:MAX_PASSAGES])


def _find_index(keyring: RealmKeyring) -> PersonIndex:
    try:
        index = find_unlocked_index(keyring)
    except VaultLocked:
        raise IndexNotReady(LOCKED) from None
    if not index.words_ready.is_set():
        with yield_turn():
            index.words_ready.wait(OPENING_WAIT_SECONDS)
    if not index.words_ready.is_set():
        raise IndexNotReady(OPENING)
    return index
