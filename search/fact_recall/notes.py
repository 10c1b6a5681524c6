"""Recall of reference notes: which of them the model reads before it replies to an entry or a question.

A note is read if the entry or question contains the name of the note's file, or if the note bears on the
entry or question, which is decided as for facts. Needs the owner's keyring in force.
"""

from typing import Final
from uuid import UUID

from diary.generation.prompt_context import PromptNote
from diary.generation.unique_jobs import may_send_unrequested
from diary.models import Entry, Note
from diary.notes.kinds import NoteKind
from diary.notes.queries import NoteText, list_notes
from diary.notes.recall import build_prompt_note, load_reference_notes
from llamora.crypto import CryptoError, Realm, RealmKeyring, current_realm_keyring
from llamora.inference import model_server
from search.errors import IndexClosed
from search.fact_recall.ranking import rank_facts
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import NOTE_KIND
from search.index.unlocked_index import find_unlocked_index
from search.query.folding import split_words
from search.query.subject_words import find_subject_words

MAX_NOTES: Final = 2
_MAX_CHARACTERS: Final = 1_200
# More than are read, since some of them may be no reference notes.
_EXAMINED: Final = 12
_LEAST_NAME: Final = 4


def recall_notes_for_entry(entry: Entry) -> list[PromptNote]:
    """Return the reference notes that bear on an entry, the nearest first."""
    if not may_send_unrequested(model_server.get_status()):
        return []
    return _recall(current_realm_keyring(), str(entry.text), id_=entry.id)


def recall_notes_for_question(keyring: RealmKeyring, question: str) -> list[PromptNote]:
    """Return the reference notes that bear on a question, the nearest first.

    The list is empty if the keyring has no key for notes.
    """
    return _recall(keyring, question, id_=None)


def _recall(keyring: RealmKeyring, text: str, *, id_: UUID | None) -> list[PromptNote]:
    if not keyring.has_realm(Realm.NOTES) or not Note.objects.filter(owner_id=keyring.owner).exists():
        return []
    ids = [*_list_named(keyring, text), *_rank_near(keyring, text, id_=id_)]
    notes = load_reference_notes(keyring, list(dict.fromkeys(ids)))[:MAX_NOTES]
    return [_cut(note, text) for note in notes]


def _list_named(keyring: RealmKeyring, text: str) -> list[UUID]:
    """Return the reference notes whose names occur in a text."""
    words = f" {' '.join(split_words(text))} "
    return [
        line.id
        for line in list_notes(keyring, reads_others=False)
        if line.kind is NoteKind.REFERENCE
        and len(name := " ".join(split_words(_get_title(line.path)))) >= _LEAST_NAME
        and f" {name} " in words
    ]


def _get_title(path: str) -> str:
    """Return the name of a note's file without its ending."""
    name = path.rpartition("/")[2]
    return (name.rpartition(".")[0] or name).replace("_", " ").replace("-", " ")


def _rank_near(keyring: RealmKeyring, text: str, *, id_: UUID | None) -> list[UUID]:
    """Return the notes that bear on a text; nothing if search fails, since a reply must not fail."""
    try:
        index = find_unlocked_index(keyring)
    except CryptoError:
        return []
    try:
        return _rank(index, text, id_=id_)
    except (IndexClosed, CryptoError):
        return []
    except Exception as error:
        indexes.discard(index, error)
        return []


def _rank(index: PersonIndex, text: str, *, id_: UUID | None) -> list[UUID]:
    return rank_facts(index, text, id_=id_, limit=_EXAMINED, kind=NOTE_KIND)


def _cut(note: NoteText, text: str) -> PromptNote:
    """Return the part of a note that contains the most words of a text."""
    whole = (note.text or "").strip()
    wanted = find_subject_words(text)
    step = _MAX_CHARACTERS // 2
    starts = range(0, max(1, len(whole)), step)
    best = max(
        starts, key=lambda start: (len(wanted & find_subject_words(whole[start : start + step])), -start)
    )
    return build_prompt_note(note, (best, best + step), length=_MAX_CHARACTERS)
