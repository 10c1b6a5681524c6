"""Tests of writes between two statements of a rotation, under the former key and the next one.

A write does what a page, a job or another process does: it opens its key and loads its rows at one statement,
and writes as soon as the rotation allows it. It is either saved and readable afterwards, or refused. No value
is left under the former key.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.auth.services.login import open_slot_throttled, start_session, start_session_if_possible
from accounts.errors import DerivationQueueFull, StaleVault
from accounts.keys.sealed_preferences import save_preferences
from accounts.models import FormerKey, Person, SignIn, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from diary.drafts.late_drafts import merge_late_drafts, store_late_draft
from diary.drafts.services import SubmittedDraft, save_draft
from diary.entries import services as entries_services
from diary.errors import DiaryError
from diary.models import Draft, Entry, Reply
from llamora.crypto import CryptoError, Keyring, in_force
from llamora.database import NotWritten, transactions, write_transaction
from llamora.inference.job import JobState
from search.models import Vector
from tests.fakes.waiting import PATIENCE
from tests.people import FIRST_DAY, HERE, Resident, register_resident
from traces.models import EntryTrace, Trace

REFUSALS = (NotWritten, CryptoError, StaleVault, DiaryError)
KINDS = ("entry", "edit", "bin", "draft", "reply", "trace", "vector", "preferences", "session", "late draft")
ENTRIES = 4


@dataclass
class MeanwhileWriter:
    """A writer that runs between the statements of a rotation, and the texts that it saved."""

    owner: Resident
    locked: SessionCookie
    # The key before, as another process or a job has it, and the browser that gets the next one.
    stale: Keyring
    here: SessionCookie
    saved: dict[UUID, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    refused: int = 0
    threads: list[threading.Thread] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    count: int = 0

    def start(self, kind: str, *, is_stale: bool) -> threading.Thread:
        """Open a key and load rows now, and write when the rotation lets it."""
        self.count += 1
        is_loaded = threading.Event()
        act = partial(self._write, kind, number=self.count, is_stale=is_stale, is_loaded=is_loaded)
        thread = threading.Thread(target=act)
        self.threads.append(thread)
        thread.start()
        assert is_loaded.wait(PATIENCE)
        return thread

    def _write(self, kind: str, *, number: int, is_stale: bool, is_loaded: threading.Event) -> None:
        try:
            keyring = self.stale if is_stale else sessions_services.open_session(self.here).held
            with in_force(keyring):
                write = self._load(kind, number, keyring)
                is_loaded.set()
                write()
        except REFUSALS:
            self.refused += 1
        except BaseException as fault:
            self.faults.append(fault)
        finally:
            is_loaded.set()
            connection.close()

    def _load(self, kind: str, number: int, keyring: Keyring | None) -> Callable[[], None]:
        """Load the rows that a write of this kind changes, and return the write."""
        owner_id, text = self.owner.id, f"Written meanwhile, number {number}."
        entries = list(Entry.objects.filter(owner_id=owner_id, id__in=self.owner.written).order_by("id"))
        entry = entries[number % len(entries)]
        match kind:
            case "entry":
                return lambda: self._save_entry(text)
            case "edit":
                return lambda: self._edit(entry, text)
            case "bin":
                return partial(self._change, entry, deleted_at=timezone.now())
            case "draft":
                sent = SubmittedDraft(
                    owner_id=owner_id, day=FIRST_DAY - timedelta(days=number), text=text, revision=0
                )
                return lambda: self._record_draft(save_draft(sent), sent)
            case "reply":
                reply = Reply.objects.filter(owner_id=owner_id).order_by("id")[number % 2]
                return partial(self._change, reply, text=text, state=JobState.DONE)
            case "trace":
                return lambda: self._add_trace(entry, f"trace {number}")
            case "vector":
                row = Vector(owner_id=owner_id, source=uuid4(), embedder="tests/none", rule="1", body=b"12")
                return partial(self._create_many, Vector, [row])
            case "preferences":
                person = Person.objects.get(id=owner_id)
                person.makes_openings = bool(number % 2)
                return lambda: save_preferences(person, names=["makes_openings"])
            case "session" if keyring is not None:
                return lambda: self._create_session(keyring)
            case "late draft":
                return lambda: self._store_late(text, day_offset=number)
        raise StaleVault

    def _save_entry(self, text: str) -> None:
        saved = entries_services.save_entry(
            owner_id=self.owner.id, day=FIRST_DAY, text=text, key=uuid4(), draft_revision=0
        )
        self.saved[saved.entry.id] = text

    def _edit(self, entry: Entry, text: str) -> None:
        with write_transaction():
            entry.text, entry.revision = text, entry.revision + 1
            entry.save(update_fields=["text", "revision"])
            # Before the next write of the same entry.
            self.saved[entry.id] = text

    def _change(self, row: Any, **columns: Any) -> None:
        with write_transaction():
            for name, value in columns.items():
                setattr(row, name, value)
            row.save(update_fields=list(columns))

    def _record_draft(self, saved: Any, sent: SubmittedDraft) -> None:
        draft = Draft.objects.get(owner_id=self.owner.id, day=sent.day)
        self.saved[draft.id] = saved.text

    def _add_trace(self, entry: Entry, name: str) -> None:
        with write_transaction():
            trace = Trace(owner_id=self.owner.id)
            trace.set_name(name)
            trace.save()
            EntryTrace.objects.create(owner_id=self.owner.id, trace=trace, entry=entry)
        self.saved[trace.id] = name

    def _create_many(self, model: Any, rows: list[Any]) -> None:
        with write_transaction():
            model.objects.bulk_create(rows)

    def _create_session(self, keyring: Keyring) -> None:
        cookie = sessions_services.create_session(
            person=self.owner.person, keyring=keyring, is_persistent=False, device="meanwhile"
        )
        # Saved, so it is of the key in force, unless that changed since.
        opened = sessions_services.open_session(cookie).held
        assert opened is None or opened.epoch == self.owner.get_vault().epoch

    def _store_late(self, text: str, *, day_offset: int) -> None:
        sent = SubmittedDraft(
            owner_id=self.owner.id, day=FIRST_DAY + timedelta(days=1000 + day_offset), text=text, revision=0
        )
        store_late_draft(sent, cookie=self.locked)
        self.late.append(text)

    def finish(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert self.faults == []


@contextmanager
def between_statements(act: Callable[[int], threading.Thread | None]) -> Iterator[list[int]]:
    """Call `act` before each statement of the block; wait for its write where the block lets it write."""
    seen = [0]

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen[0] += 1
        thread = act(seen[0])
        # The lock is held from before the first statement of a write until after its receivers.
        holds_writers = transactions._write_lock._holder == threading.get_ident()
        if thread is not None and not holds_writers and not connection.in_atomic_block:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield seen


def rotate(writer: MeanwhileWriter, *, others: OtherBrowsers, act: Callable[[int], Any]) -> int:
    """Replace the key, with what `act` starts between the statements; return their number."""
    opened = writer.owner.open_slot()
    here = writer.here if others is OtherBrowsers.SIGN_OUT else None
    with between_statements(act) as seen:
        begun = begin_rotation(opened, current_cookie=here, others=others)
        rotation_services.resume_rotation(begun.keyring)
    writer.finish()
    return seen[0]


def build_writer(name: str) -> MeanwhileWriter:
    owner = register_resident(name, entries=ENTRIES)
    stale, here, locked = owner.open_keyring(), owner.create_session(), owner.create_session()
    sessions_services.lock_session(sign_in_id=locked.sign_in_id, person_id=owner.id)
    return MeanwhileWriter(owner=owner, locked=locked, stale=stale, here=here)


def check_all_of_it(writer: MeanwhileWriter) -> None:
    """Check that what was saved is readable under the next key, and that nothing is under the one before."""
    owner = writer.owner
    keyring = owner.open_keyring()
    with in_force(keyring):
        merge_late_drafts(keyring)
        found: dict[UUID, str] = {
            **{row.id: row.text for row in Entry.objects.filter(owner_id=owner.id)},
            **{row.id: row.text for row in Draft.objects.filter(owner_id=owner.id)},
            **{row.id: row.name for row in Trace.objects.filter(owner_id=owner.id)},
        }
        assert {**owner.written, **writer.saved}.items() <= found.items()
        assert set(writer.late) <= set(found.values())
        assert sum(text.startswith("Written meanwhile") for text in found.values()) <= writer.count
    assert rotation_services.verify_envelopes(keyring).damaged == []
    assert owner.list_epochs() == {2}
    assert not FormerKey.objects.filter(owner_id=owner.id).exists()
    assert rotation_services.count_rows_of_destroyed_keys(owner.id) == 0
    # Whoever was let in with the key before stays outside.
    standing = SignIn.objects.filter(person_id=owner.id, device="meanwhile", draft_key=None)
    assert not standing.exists()


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("others", list(OtherBrowsers))
def test_writes_between_all_statements_are_saved_or_refused(others: OtherBrowsers) -> None:
    writer = build_writer("Olive")
    kinds = cycle((kind, is_stale) for kind in KINDS for is_stale in (True, False))

    def act(_: int) -> threading.Thread:
        kind, is_stale = next(kinds)
        return writer.start(kind, is_stale=is_stale)

    statements = rotate(writer, others=others, act=act)

    assert statements > 2 * len(KINDS)
    assert writer.saved
    assert writer.refused
    check_all_of_it(writer)


@pytest.mark.slow
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("is_stale", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_one_write_between_any_two_statements_is_saved_or_refused(kind: str, is_stale: bool) -> None:
    others = cycle(OtherBrowsers)
    at, count = 1, 1
    while at <= count:
        writer = build_writer(f"Olive {at}")

        def act(statement: int, at: int = at, writer: MeanwhileWriter = writer) -> threading.Thread | None:
            return writer.start(kind, is_stale=is_stale) if statement == at else None

        count = rotate(writer, others=next(others), act=act)
        check_all_of_it(writer)
        at += 1
    assert at > 40


def test_a_browser_that_was_let_in_with_the_key_before_is_not_signed_in(owner: Resident) -> None:
    """Its password opened its slot just before another browser replaced that password."""
    former = owner.open_slot()
    signed_in = owner.create_session()
    begin_rotation(owner.open_slot(), current_cookie=signed_in)

    with pytest.raises(StaleVault):
        sessions_services.create_session(
            person=owner.person, keyring=former.keyring, is_persistent=True, device="late"
        )
    with pytest.raises(StaleVault):
        sessions_services.unlock_session(sign_in_id=signed_in.sign_in_id, keyring=former.keyring)

    assert not SignIn.objects.filter(device="late").exists()
    assert sessions_services.open_session(signed_in).is_unlocked
    # The page of a new recovery code is shown all the same.
    assert start_session_if_possible(owner.person, former.keyring, device="late") is None


def sign_in_during_a_rotation(owner: Resident) -> None:
    with open_slot_throttled(
        "sign-in",
        person=Person.objects.get(id=owner.id),
        name=owner.person.name,
        address=HERE,
        slot_kind=SlotKind.PASSWORD,
        secret=owner.password,
    ) as opened:
        begin_rotation(owner.open_slot())
        start_session(owner.person, opened.keyring, device="late")


def test_they_try_again_as_if_the_server_had_been_busy(owner: Resident) -> None:
    with pytest.raises(DerivationQueueFull):
        sign_in_during_a_rotation(owner)
