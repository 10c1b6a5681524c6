"""Tests of rows in which one column has a value of another type, or a value that the program never writes.

SQLite stores any value in any column, and one flipped bit in the header of a row turns bytes into text. The
owner has rows of every kind; in each, another column is damaged, found by introspection. Then every page is
opened, and the diary is searched, exported, verified, rotated and deleted. A damaged row is shown as damaged
or not at all, and everything else works as before.
"""

import io
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.auth.services import invitations
from accounts.models import BrowserKey, Invitation, Person
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import UnreadableFormerKey
from accounts.security import deletion
from accounts.throttling.throttle import throttle
from diary import messages
from diary.models import (
    CustomReplyKind,
    Draft,
    Entry,
    ImportClaim,
    InboxBox,
    InboxItem,
    LateDraft,
    Note,
    NoteDraft,
    NoteVersion,
    Opening,
    Origin,
    Recap,
    Reply,
    Version,
)
from diary.models.notes import NOTE_PATH_INDEX_LABEL
from diary.origins import claim_threads
from llamora.crypto import current_realm_keyring, in_force
from llamora.database import write_transaction
from llamora.inference.job import JobState
from llamora.ops.pruning import prune
from search.index.registry import indexes
from search.models import CheckIn, CheckInProposal, CheckInSettings, LookBack, Question, RecentSearch, Vector
from tests.clock.records import settle_clock
from tests.diary.transfers import export_to_folder
from tests.leaks.url_table import PLACES, list_routes
from tests.people import Resident, register_resident
from tests.search.indexing import open_index, wait_until_idle
from traces.editing.services import purge_deleted
from traces.facts.fact_body import FactText
from traces.facts.models import DeclinedFact, Fact, FactChange, FactSettings
from traces.facts.queries import FactChoices
from traces.facts.services import FactOrigin, add_fact, propose_fact, save_choices
from traces.models import Change, ChangeKind, EntryTrace, Trace, TraceProposal, compute_name_index

DAY = date(2026, 3, 5)
SOUND = "An undamaged text."
# Ends the session, or leads to any day.
LEFT_OUT = {"admin:logout", "random_day"}
MODELS: tuple[type[Model], ...] = (
    Entry,
    Version,
    Reply,
    CustomReplyKind,
    Draft,
    LateDraft,
    InboxItem,
    InboxBox,
    ImportClaim,
    Note,
    NoteVersion,
    NoteDraft,
    Opening,
    Recap,
    Trace,
    EntryTrace,
    TraceProposal,
    Change,
    Vector,
    RecentSearch,
    Question,
    LookBack,
    CheckIn,
    CheckInProposal,
    CheckInSettings,
    Fact,
    FactChange,
    DeclinedFact,
    FactSettings,
    BrowserKey,
)
VALUES: dict[str, str] = {
    "text that is not UTF-8": "CAST(X'ff' AS TEXT)",
    "the same as text": "CAST({column} AS TEXT)",
    "the same as bytes": "CAST({column} AS BLOB)",
    "bytes": "X'00ff'",
    "nothing": "NULL",
    "no date": "'no date'",
    "no day of the calendar": "'2026-02-30'",
    "a number": "7",
    "a fraction": "0.5",
    "the largest number": "9223372036854775807",
    "the least number": "-9223372036854775808",
    "infinity": "9e999",
}

pytestmark = pytest.mark.django_db(transaction=True)


def list_columns(model: type[Model]) -> list[str]:
    return [str(column.column) for column in model._meta.concrete_fields]


COUNT = max(len(list_columns(model)) for model in MODELS) + 1


def test_every_kind_of_row_with_an_owner_is_damaged_here() -> None:
    from django.apps import apps

    with_owner = {
        model
        for model in apps.get_models()
        if any(column.attname == "owner_id" for column in model._meta.concrete_fields)
    }

    # The rows of keys decide who may read: `test_attacks_rows.py`, and of programs: `test_access_tokens.py`.
    others = {"Vault", "KeySlot", "FormerKey", "AccessToken"}
    assert {model.__name__ for model in with_owner - set(MODELS)} == others


# Without primary keys, by which Django sees whether a row is there at all.
_NOT_NULL = re.compile(r" NOT NULL(?! PRIMARY KEY)")


@contextmanager
def allow_null() -> Iterator[None]:
    """Let every column hold no value, as in a file whose description of the tables was changed."""
    with connection.cursor() as cursor:
        before = cursor.execute("SELECT rowid, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        changed = [(rowid, _NOT_NULL.sub("", sql)) for rowid, sql in before if sql]
        write_schema(changed)
        yield
        write_schema(before)


def write_schema(tables: list[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA writable_schema = ON")
        for rowid, sql in tables:
            cursor.execute("UPDATE sqlite_master SET sql = %s WHERE rowid = %s", [sql, rowid])
        (version,) = cursor.execute("PRAGMA schema_version").fetchone()
        # Every connection then reads the tables anew.
        cursor.execute(f"PRAGMA schema_version = {version + 1}")
        cursor.execute("PRAGMA writable_schema = RESET")


@contextmanager
def without_rules() -> Iterator[None]:
    """Lift the rules of the database, which do not bind somebody who changes its file."""
    with connection.cursor() as cursor:
        triggers = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute("PRAGMA foreign_keys = OFF")
        with allow_null():
            yield
        for _, sql in triggers:
            cursor.execute(sql)
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


@dataclass
class House:
    """An owner with many rows of each kind, in the order in which they were written."""

    owner: Resident
    housemate: Resident
    ids: dict[type[Model], list[Any]] = field(default_factory=dict)

    def damage(self, model: type[Model], column: str, value: str, *, number: int) -> bool:
        """Damage a column of one row; return whether the database allows that value there."""
        pk = str(model._meta.pk.column)  # type: ignore[union-attr]
        row_id = self.ids[model][number]
        value = value.format(column=f'"{column}"')
        statement = f'UPDATE OR IGNORE "{model._meta.db_table}" SET "{column}" = {value} WHERE "{pk}" = %s'
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, [row_id.hex if isinstance(row_id, UUID) else row_id])
                return bool(cursor.rowcount)
        except IntegrityError:
            return False  # a number that is a primary key can be nothing else

    def damage_all(self, value: str) -> int:
        """Damage one column of each row but the last, another one in each; return how many were damaged."""
        with without_rules():
            return sum(
                self.damage(model, column, value, number=number)
                for model in MODELS
                for number, column in enumerate(list_columns(model))
            )


def write_rows(owner: Resident) -> dict[type[Model], list[Any]]:
    """Write a row of each kind for each of its columns, and one more."""
    rows: dict[type[Model], list[Any]] = {model: [] for model in MODELS}
    of: Any = {"owner_id": owner.id}

    def add(model: type[Any], **columns: Any) -> Any:
        row = model.objects.create(owner_id=owner.id, **columns)
        rows[model].append(row.pk)
        return row

    for number in range(COUNT):
        day = DAY - timedelta(days=number)
        entry = add(
            Entry, day=DAY, first_day=DAY, text=f"Entry {number}. {SOUND}", source=b"line", keep_key=uuid4(),
            utc_offset=3600, edited_at=timezone.now(),
        )  # fmt: skip
        add(Version, entry=entry, revision=1, text="Before.", written_at=timezone.now())
        add(Reply, entry=entry, text="A reply.", state=JobState.DONE, finished_at=timezone.now(), read={})
        add(CustomReplyKind, words={"name": f"Style {number}", "wish": "Be short."})
        add(Draft, day=DAY, entry=entry, based_on=1, text="An edit.")
        add(LateDraft, day=DAY, entry=entry, box=b"what nobody can check", sign_in_id=uuid4(), mac=bytes(32))
        add(
            InboxItem,
            day=DAY,
            origin=Origin.PROGRAM,
            body={"text": f"Sent {number}. {SOUND}", "from": "A lamp"},
        )
        add(InboxBox, day=DAY, sender_id=uuid4(), box=b"what nobody can check", mac=bytes(32))
        add(ImportClaim, body={"import": str(uuid4()), "review": "00"})
        path = f"knowledge/note-{number}.md"
        note = add(
            Note, path_index=current_realm_keyring().blind_index(label=NOTE_PATH_INDEX_LABEL, value=path),
            head={"path": path, "size": len(SOUND)}, text=SOUND, data=b"", approved_revision=1,
        )  # fmt: skip
        add(
            NoteVersion, note=note, revision=1, origin=Origin.OWN, text="Before.", data=b"",
            written_at=timezone.now(),
        )  # fmt: skip
        add(NoteDraft, note=note, based_on=1, body={"path": path, "text": "An edit."})
        add(Opening, day=day, text="An opening.", read={})
        add(Recap, day=day, body={"text": "A recap.", "digest": "00"})
        name = f"trace {number}"
        trace = add(
            Trace,
            name=name,
            name_index=compute_name_index(name),
            summary={"text": "Old.", "digest": "00", "read": 1, "of": 1},
        )
        into = Trace.objects.create(**of, name=f"other {number}", name_index=compute_name_index(f"o{number}"))
        add(EntryTrace, trace=trace, entry=entry)
        add(TraceProposal, entry=entry, body={"offered": [f"new {number}"], "dismissed": []})
        add(Change, trace=trace, into=into, kind=ChangeKind.RENAME, body={"was": f"former {number}"})
        add(Vector, source=entry.id, embedder="tests/none", rule="1", body=bytes(64))
        add(RecentSearch, text=f"undamaged {number}")
        add(Question, session_id=uuid4(), text="A question?", answer="An answer.", sources=[], state="done")
        body = {"text": "A look-back.", "days": [[day.isoformat(), False]], "digest": "00", "read": None}
        add(LookBack, span="week", first_day=day, body=body, state="done")
        due_at = timezone.now() - timedelta(days=number + 1)
        check_in = add(CheckIn, due_at=due_at, body={"requests": 1}, state=JobState.DONE)
        add(CheckInProposal, check_in=check_in, body={"request": "A request.", "text": f"{number}. {SOUND}"})
        fact = add_fact(
            owner_id=owner.id,
            text=FactText.create(f"Anna {number} has a dog"),
            where=FactOrigin(entry_id=entry.id),
        )
        rows[Fact].append(fact.id)
        propose_fact(
            owner_id=owner.id,
            text=FactText.create(f"Anna {number} has a cat"),
            where=FactOrigin(entry_id=entry.id),
        )
        rows[FactChange].append(FactChange.objects.get(fact=fact).id)
        add(DeclinedFact, digest=bytes([number] * 32))
        add(BrowserKey, sign_in_id=uuid4(), epoch=1, secret=bytes(32))
    save_choices(owner_id=owner.id, choices=FactChoices())
    CheckInSettings.objects.create(owner_id=owner.id, body={})
    # There is one alone, of which the last column is damaged.
    for model in (FactSettings, CheckInSettings):
        row_id = model._base_manager.get(owner_id=owner.id).pk
        rows[model] = [uuid4()] * (len(list_columns(model)) - 1) + [row_id]
    return rows


@pytest.fixture
def house(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # Its thread would take notes away that say nothing.
    monkeypatch.setattr(claim_threads, "start_claim_thread", lambda keyring: False)
    (tmp_path / "data").mkdir()
    settings.DATA_DIR = tmp_path / "data"
    owner, housemate = register_resident("Olive", administrator=True), register_resident("Humphrey")
    Person.objects.update(is_staff=True)
    with owner.unlocked(), write_transaction():
        ids = write_rows(owner)
    housemate.write("Nothing of this is mine.", day=DAY)
    owner.sign_in()
    housemate.sign_in()
    assert LateDraft.objects.count() == COUNT
    yield House(owner, housemate, ids)
    indexes.close_all()
    with without_rules(), connection.cursor() as cursor:
        # The rows of damaged owners, whom nobody deletes.
        for model in MODELS:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')


def list_paths(house: House, *, of_rows: bool) -> list[str]:
    """The owner's pages that list rows, or those of each row alone."""
    models: dict[str, type[Model]] = {
        "entry_id": Entry,
        "draft_id": LateDraft,
        "item_id": InboxItem,
        "box_id": InboxBox,
        "reply_id": Reply,
        "version_id": Version,
        "trace_id": Trace,
        "change_id": Change,
        "kind_id": CustomReplyKind,
        "note_id": Note,
        "note_version_id": NoteVersion,
        "look_back_id": LookBack,
        "fact_id": Fact,
        "proposal_id": CheckInProposal,
    }
    other: dict[str, Any] = {"sign_in_id": uuid4(), "others": [house.ids[Trace][-1]]}
    routes = [one for one in list_routes() if one.name not in LEFT_OUT and not one.name.startswith("admin:")]
    if not of_rows:
        days = {f"/d/{day}/" for day in (DAY, DAY - timedelta(days=1), date(1970, 1, 1))}
        return sorted(days | {one.build_path(PLACES | other) for one in routes if not one.owned})
    first = {name: house.ids[model][0] for name, model in models.items()}
    return sorted(
        one.build_path(PLACES | other | first | {name: row_id})
        for one in routes
        for name in one.owned
        if name in models
        for row_id in house.ids[models[name]]
    )


@dataclass
class Attempts:
    """The actions of the owner, and the program errors that they caused."""

    faults: list[str] = field(default_factory=list)

    def attempt(self, name: str, act: Callable[[], Any]) -> None:
        try:
            answer = act()
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.faults.append(f"{name}: {type(error).__name__} in {last.filename}, line {last.lineno}")
            return
        if isinstance(answer, HttpResponse) and answer.status_code >= 500:
            self.faults.append(f"{name}: {answer.status_code}")


def find_faults(house: House, folder: Path) -> list[str]:
    """Open every page that lists rows, and do with the whole diary all that can be done with it."""
    owner, all_of_it = house.owner, Attempts()
    (folder / "password").write_text(owner.password)
    secret = {"user": "Olive", "password_file": folder / "password"}
    for path in list_paths(house, of_rows=False):
        all_of_it.attempt(path, partial(owner.get, path))
    for typed in ("undamaged", "trace:trace", "in:replies reply", "from:2026-01 undamaged"):
        all_of_it.attempt(typed, partial(owner.post, "/search/", q=typed))
    for name, act in {
        "facts": lambda: owner.post("/facts/", typed="dog"),
        "suggested facts": lambda: owner.get("/facts/?state=proposed"),
        "exported facts": lambda: b"".join(owner.post("/facts/export/", format="json")),
        "administration": lambda: owner.get("/admin/accounts/person/"),
        "save": lambda: owner.post(f"/d/{DAY}/", text="Written afterwards.", script=True),
        "index": lambda: (open_index(owner), wait_until_idle(owner)),
        "export": lambda: check_export(export_to_folder(owner, folder / "export")),
        "verify": lambda: run_command("verify", **secret),
        "doctor": lambda: run_command("doctor"),
        "stats": lambda: run_command("stats"),
        "rotation": lambda: rotate(house),
        "prune": lambda: prune(now=timezone.now()),
        "the housemate": lambda: house.housemate.get(f"/d/{DAY}/"),
        "deletion": lambda: deletion.delete_person(owner.person),
    }.items():
        all_of_it.attempt(name, act)
    return all_of_it.faults


def check_export(diary: Any) -> None:
    assert sum(SOUND in (row["text"] or "") for row in diary["entries"]) >= 1
    json.dumps(diary).encode()


def run_command(name: str, **options: Any) -> None:
    # Its sentence says that something is damaged.
    with suppress(CommandError):
        call_command(name, stdout=io.StringIO(), stderr=io.StringIO(), **options)


def rotate(house: House) -> None:
    """Give the diary a new key, and destroy the old one."""
    opened = house.owner.open_slot()
    begun = begin_rotation(opened)
    try:
        rotation_services.resume_rotation(begun.keyring)
    except UnreadableFormerKey:
        rotation_services.resume_rotation(begun.keyring, leave_damaged=True)
    with in_force(begun.keyring):
        # Of the keys of browsers none is needed any more.
        for model in set(MODELS) - {BrowserKey, FactSettings, CheckInSettings}:
            row = model._base_manager.get(pk=house.ids[model][-1])  # type: ignore[attr-defined]
            for column in row._meta.concrete_fields:
                getattr(row, column.attname)


def list_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error, such as a task of a thread that stopped."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


FEW = ("text that is not UTF-8", "the same as text", "the largest number")


@pytest.mark.parametrize(
    "kind", [kind if kind in FEW else pytest.param(kind, marks=pytest.mark.slow) for kind in VALUES]
)
def test_damaged_values_stop_nothing(
    house: House, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    count = house.damage_all(VALUES[kind])

    faults = find_faults(house, tmp_path)

    assert count >= 20
    assert "\n".join(faults) == ""
    assert list_errors(caplog) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", VALUES)
def test_damaged_values_stop_no_page_of_a_row(house: House, kind: str) -> None:
    house.damage_all(VALUES[kind])
    pages = Attempts()

    for path in list_paths(house, of_rows=True):
        pages.attempt(path, partial(house.owner.get, path, script=True))
        pages.attempt(path, partial(house.owner.get, path))

    assert "\n".join(pages.faults) == ""


def store(house: House, column: str, value: str, *, number: int = 0) -> Entry:
    """Store a value in a column of one entry, and return the entry."""
    with without_rules():
        assert house.damage(Entry, column, value, number=number)
    return Entry.objects.get(id=house.ids[Entry][number])


def load_day(house: House) -> str:
    return str(house.owner.get(f"/d/{DAY}/").content.decode())


def test_an_encrypted_text_that_became_text_is_read_and_encrypted_again(house: House) -> None:
    """Only its type was changed, not one of its bytes: nothing of it is lost."""
    entry = store(house, "text", VALUES["the same as text"])

    shown = load_day(house)
    rotate(house)

    assert f"Entry 0. {SOUND}" in shown
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT typeof(text), hex(substr(text, 2, 4)) FROM diary_entry WHERE id = %s", [entry.id.hex]
        )
        assert cursor.fetchone() == ("blob", "00000002")


@pytest.mark.parametrize("column", ["text", "mac", "created_at", "utc_offset", "origin", "revision"])
def test_an_entry_with_a_damaged_column_is_shown_as_damaged(house: House, column: str) -> None:
    values = ["7", "90000", "0.5", "X''", "''", "'no date'", "CAST(X'ff' AS TEXT)"]
    for number, value in enumerate(values):
        store(house, column, value, number=number)

    shown = unescape(load_day(house))

    assert [number for number in range(COUNT) if f"Entry {number}. {SOUND}" in shown] == [
        *range(len(values), COUNT)
    ]
    assert shown.count(messages.DAMAGED_ENTRY) == len(values)


def test_an_entry_whose_deletion_is_no_moment_is_not_purged(house: House) -> None:
    """One flipped bit makes the number 0 of a moment that was never set; 0 is earlier than every moment."""
    settle_clock()
    entry = store(house, "deleted_at", "0")

    prune(now=timezone.now())
    in_bin = house.owner.get("/bin/").content.decode()
    house.owner.post(f"/entries/{entry.id}/restore/")

    assert f"/entries/{entry.id}/restore/" in in_bin
    assert f"Entry 0. {SOUND}" in load_day(house)


@pytest.mark.parametrize(
    ("model", "column"), [(Version, "replaced_at"), (Trace, "deleted_at"), (Change, "made_at")]
)
def test_nothing_else_is_purged_for_a_damaged_moment(house: House, model: type[Model], column: str) -> None:
    with without_rules():
        assert house.damage(model, column, "0", number=0)
    settle_clock()

    prune(now=timezone.now())
    with house.owner.unlocked():
        purge_deleted(house.owner.id)

    assert model._base_manager.filter(pk=house.ids[model][0]).exists()  # type: ignore[attr-defined]


# --- The rows of people and of invitations ---------------------------------------------------------------


@pytest.mark.parametrize("model", [Person, Invitation])
@pytest.mark.parametrize(
    "kind", [kind if kind == FEW[0] else pytest.param(kind, marks=pytest.mark.slow) for kind in VALUES]
)
def test_a_damaged_person_or_invitation_stops_nobody(kind: str, model: type[Model]) -> None:
    """Damage one column after the other."""
    owner, housemate = register_resident("Olive", administrator=True), register_resident("Humphrey")
    Person.objects.update(is_staff=True)
    invitations.create_invitation(by=owner.person)
    owner.write("A text.", day=DAY)
    owner.sign_in()
    housemate.sign_in()
    table, where = model._meta.db_table, "" if model is Invitation else f"WHERE id = '{owner.id.hex}'"
    attempts = Attempts()
    with connection.cursor() as cursor:
        before = cursor.execute(f"SELECT * FROM {table}").fetchall()
    with without_rules(), connection.cursor() as cursor:
        for column in list_columns(model):
            value = VALUES[kind].format(column=f'"{column}"')
            # Some values a column can't have, such as a name that is taken.
            with suppress(IntegrityError):
                cursor.execute(f'UPDATE {table} SET "{column}" = {value} {where}')
            act(attempts, column, owner=owner, housemate=housemate)
            cursor.execute(f"DELETE FROM {table}")
            places = ", ".join(["%s"] * len(before[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", before)

    assert "\n".join(attempts.faults) == ""


def act(attempts: Attempts, column: str, *, owner: Resident, housemate: Resident) -> None:
    """What both may do while a column of the owner's row is damaged."""
    throttle.clear()
    for path in ("/", f"/d/{DAY}/", "/settings/", "/settings/browsers/", "/bin/", "/traces/", "/sign-in/"):
        attempts.attempt(f"{column}: {path}", partial(owner.get, path))
    for path in ("/", "/admin/accounts/person/", "/admin/accounts/invitation/", f"/d/{DAY}/"):
        attempts.attempt(f"{column}: the housemate at {path}", partial(housemate.get, path))
    secret = {"name": "Olive", "password": owner.password}
    attempts.attempt(f"{column}: sign in", lambda: Client().post("/sign-in/", secret))
    for name in ("doctor", "stats", "users", "verify"):
        attempts.attempt(f"{column}: {name}", partial(run_command, name))
    attempts.attempt(f"{column}: invite", partial(run_command, "invite", list=True))
    attempts.attempt(f"{column}: prune", lambda: prune(now=timezone.now()))
