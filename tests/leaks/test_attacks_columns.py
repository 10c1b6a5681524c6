"""Attacks on plaintext columns, written to the database of a running diary without a key.

Each test makes one change with raw SQL and checks what the owner sees: the row is damaged or the value
ignored, other rows are unchanged, and an export reports the damage and continues.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.keys import sealed_preferences
from accounts.models import Person, Unlock
from diary.models import Draft, Entry, Origin, Version
from search.models import RecentSearch
from search.query.trace_filter import find_entries_by_trace_name, find_entries_with_traces
from tests.diary.tabs import ServingLoop, get_reply, run_serving_loop
from tests.diary.transfers import build_entry_row, build_export, export_to_folder, import_file, write_json
from tests.fakes.model_server import FakeModelServer
from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_traces
from traces.models import Change, EntryTrace, Trace

DAMAGED = "be opened: its data was changed"


def write(table: str, id_: UUID | int, **columns: object) -> None:
    """Write columns of a row as somebody can who has the database and no key."""
    values = [value.hex if isinstance(value, UUID) else value for value in columns.values()]
    names = ", ".join(f'"{name}" = %s' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET {names} WHERE id = %s',
            [*values, id_.hex if isinstance(id_, UUID) else id_],
        )
        assert cursor.rowcount == 1


def read_columns(table: str, id_: UUID | int, *names: str) -> dict[str, Any]:
    """Return the stored values of a row."""
    with connection.cursor() as cursor:
        columns = ", ".join(f'"{name}"' for name in names)
        row_id = id_.hex if isinstance(id_, UUID) else id_
        cursor.execute(f'SELECT {columns} FROM "{table}" WHERE id = %s', [row_id])
        return dict(zip(names, cursor.fetchone(), strict=True))


def load_day(who: Resident, entry: Entry) -> str:
    return str(who.get(f"/d/{entry.day}/").content.decode())


def list_chips(who: Resident, entry: Entry) -> list[str]:
    """Return the names of the traces that are shown on an entry."""
    page = read(who.get(f"/entries/{entry.id}/traces/", script=True))
    return [chip.text.strip() for chip in page.all("a.trace bdi, .trace > a bdi, li bdi")]


def get_last_prompt(model: FakeModelServer) -> str:
    return str(model.calls[-1]["messages"][-1]["content"])


# --- Entries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("created_at", "2020-01-01 08:00:00"),
        ("utc_offset", 3600),
        ("utc_offset", None),
        ("origin", "imported"),
        ("revision", 7),
    ],
)
def test_an_entry_whose_columns_were_changed_is_damaged(
    owner: Resident, tmp_path: Path, column: str, value: object
) -> None:
    with owner.unlocked():
        entry = Entry.objects.create(owner_id=owner.id, day=owner.today, text="Fog.", utc_offset=7200)
    owner.write("It lifts.")

    write("diary_entry", entry.id, **{column: value})

    page = load_day(owner, entry)
    assert DAMAGED in page
    assert "Fog." not in page
    assert "It lifts." in page
    assert owner.get(f"/entries/{entry.id}/edit/").status_code == 422
    rows = export_to_folder(owner, tmp_path / "out")["entries"]
    assert sorted((row["text"], "damaged" in row) for row in rows if row["text"]) == [("It lifts.", False)]
    assert [row["damaged"] for row in rows if row["id"] == str(entry.id)] == [{"text": "not_authentic"}]


def test_an_entry_that_was_moved_to_another_day_is_damaged_there(owner: Resident) -> None:
    entry, other = owner.write("Fog."), owner.write("It lifts.")
    yesterday = owner.today - timedelta(days=1)

    write("diary_entry", entry.id, day=yesterday.isoformat())

    page = owner.get(f"/d/{yesterday}/").content.decode()
    assert DAMAGED in page
    assert "Fog." not in page
    assert "It lifts." in load_day(owner, other)


def test_a_deleted_entry_that_was_put_back_is_damaged(owner: Resident, tmp_path: Path) -> None:
    entry, other = owner.write("Thrown away."), owner.write("It lifts.")
    owner.post(f"/entries/{entry.id}/delete/")

    write("diary_entry", entry.id, deleted_at=None)

    page = load_day(owner, other)
    assert DAMAGED in page
    assert "Thrown away." not in page
    assert "It lifts." in page
    rows = export_to_folder(owner, tmp_path / "out")["entries"]
    assert {row["text"] for row in rows} == {None, "It lifts."}
    assert owner.post(f"/entries/{entry.id}/delete/", script=True).status_code == 200
    assert DAMAGED not in load_day(owner, other)


def test_an_entry_that_was_binned_is_damaged_there_and_can_be_restored(owner: Resident) -> None:
    entry, other = owner.write("Not thrown away."), owner.write("It lifts.")

    write("diary_entry", entry.id, deleted_at=str(timezone.now().replace(tzinfo=None)))

    assert "It lifts." in load_day(owner, other)
    page = owner.get("/bin/").content.decode()
    assert DAMAGED in page
    assert "Not thrown away." not in page
    # What she restores is what she had: only then are the columns those of its code.
    assert owner.post(f"/entries/{entry.id}/restore/", script=True).status_code == 200
    assert "Not thrown away." in load_day(owner, other)


def test_the_key_of_a_save_does_not_restore_another_entry(owner: Resident) -> None:
    fields = {"text": "Saved.", "key": uuid4(), "draft_revision": 0}
    owner.post(f"/d/{owner.today}/", **fields)
    saved = Entry.objects.get(owner_id=owner.id)
    save_key = saved.keep_key.hex
    binned = owner.write("Thrown away.")
    owner.post(f"/entries/{binned.id}/delete/")
    write("diary_entry", saved.id, keep_key=None)
    write("diary_entry", binned.id, keep_key=save_key)

    # As a browser does that got no answer.
    owner.post(f"/d/{owner.today}/", **fields)
    owner.post(f"/d/{owner.today}/", **fields)

    assert owner.list_texts() == ["Saved.", "Saved."]


def test_saving_a_damaged_row_does_not_make_it_good(owner: Resident) -> None:
    entry = owner.write("Fog.")
    write("diary_entry", entry.id, created_at="2020-01-01 08:00:00")

    owner.post(f"/entries/{entry.id}/delete/")
    owner.post(f"/entries/{entry.id}/restore/")

    page = load_day(owner, entry)
    assert DAMAGED in page
    assert "Fog." not in page


def test_an_earlier_text_that_was_put_back_without_its_number_is_damaged(
    owner: Resident, tmp_path: Path
) -> None:
    entry, other = owner.write("I will leave him."), owner.write("It lifts.")
    before = read_columns("diary_entry", entry.id, "text")
    owner.post(f"/entries/{entry.id}/edit/", text="I will stay.", revision=1)

    write("diary_entry", entry.id, **before)

    page = load_day(owner, other)
    assert DAMAGED in page
    assert "I will leave him." not in page
    assert "It lifts." in page
    rows = export_to_folder(owner, tmp_path / "out")["entries"]
    assert {row["text"] for row in rows} == {None, "It lifts."}


def test_an_earlier_text_with_its_number_is_that_of_the_moment_before(owner: Resident) -> None:
    # Not prevented, and said in the README: a row can be put back as it was under the same key.
    entry = owner.write("I will leave him.")
    before = read_columns("diary_entry", entry.id, "text", "revision")
    owner.post(f"/entries/{entry.id}/edit/", text="I will stay.", revision=1)

    write("diary_entry", entry.id, **before)

    page = load_day(owner, entry)
    assert DAMAGED not in page
    assert "I will leave him." in page
    assert "I will stay." not in page


def test_a_restored_text_does_not_make_other_columns_good(owner: Resident) -> None:
    entry = owner.write("Fog.")
    owner.post(f"/entries/{entry.id}/edit/", text="Fog lifts.", revision=1)

    write("diary_entry", entry.id, utc_offset=3600, created_at="2020-01-01 08:00:00")
    owner.post(f"/versions/{Version.objects.get().id}/restore/")

    page = load_day(owner, entry)
    assert DAMAGED not in page
    assert "Fog." in page
    found = Entry.objects.get()
    # The text is hers again; that it was written here, and where, is no longer known.
    assert (found.origin, found.utc_offset) == (Origin.IMPORTED, None)


# --- Drafts ----------------------------------------------------------------------------------------------


def save_edit_draft(who: Resident, entry: Entry, text: str) -> None:
    path = f"/d/{entry.day}/draft/"
    answer = who.post(path, text=text, revision=0, entry=entry.id, based_on=entry.revision)
    assert answer.status_code == 200


def test_a_draft_that_was_moved_to_another_entry_is_not_taken_for_its_edit(
    owner: Resident, tmp_path: Path
) -> None:
    entry, other = owner.write("Fog."), owner.write("It lifts.")
    save_edit_draft(owner, entry, "Fog all day")
    draft = Draft.objects.get()

    write("diary_draft", draft.id, entry_id=other.id)

    form = owner.get(f"/entries/{other.id}/edit/", script=True).content.decode()
    assert "This draft can&#39;t be opened" in form
    assert "Fog all day" not in form
    assert "\nIt lifts.</textarea>" in form
    assert "\nFog.</textarea>" in owner.get(f"/entries/{entry.id}/edit/", script=True).content.decode()
    assert "Fog all day" not in load_day(owner, other)
    (row,) = export_to_folder(owner, tmp_path / "out")["others"]["drafts"]
    assert (row["text"], row["damaged"]) == (None, {"text": "not_authentic"})


@pytest.mark.parametrize("changes", [{"entry_id": None}, {"based_on": 2}, {"revision": 9}])
def test_a_draft_of_an_edit_stays_what_it_was(owner: Resident, changes: dict[str, object]) -> None:
    entry = owner.write("Fog.")
    save_edit_draft(owner, entry, "Fog all day")

    write("diary_draft", Draft.objects.get().id, **changes)

    assert "Fog all day" not in load_day(owner, entry)
    assert "Fog all day" not in owner.get(f"/entries/{entry.id}/edit/", script=True).content.decode()


# --- Traces ----------------------------------------------------------------------------------------------


def swap_indexes(one: Trace, other: Trace) -> None:
    first = read_columns("traces_trace", one.id, "name_index")["name_index"]
    second = read_columns("traces_trace", other.id, "name_index")["name_index"]
    write("traces_trace", one.id, name_index=b"for a moment")
    write("traces_trace", other.id, name_index=first)
    write("traces_trace", one.id, name_index=second)


def test_who_accepts_coffee_does_not_get_abortion(owner: Resident, tmp_path: Path) -> None:
    known, entry = owner.write("A day."), owner.write("Coffee with Ann.")
    coffee, abortion, _ = add_traces(owner, known, "coffee", "abortion", "weir")

    swap_indexes(coffee, abortion)

    refused = owner.post(f"/entries/{entry.id}/traces/keep/", script=True, pick="coffee")
    assert refused.status_code == 422
    assert not EntryTrace.objects.filter(entry=entry).exists()
    assert owner.post(f"/entries/{entry.id}/traces/keep/", script=True, pick="weir").status_code == 200
    assert list_chips(owner, entry) == ["weir"]
    with owner.unlocked():
        assert find_entries_with_traces(owner.id, ["coffee"]) == frozenset()
        assert find_entries_by_trace_name(owner.id, "coffee") == []
        assert find_entries_with_traces(owner.id, ["weir"]) == {known.id, entry.id}
    traces = export_to_folder(owner, tmp_path / "out")["others"]["traces"]
    assert {row["name"] for row in traces} == {None, "weir"}
    assert [row.get("damaged") for row in traces].count({"name": "not_authentic"}) == 2


def test_an_import_does_not_take_coffee_for_abortion(owner: Resident, tmp_path: Path) -> None:
    coffee, abortion = add_traces(owner, owner.write("A day."), "coffee", "abortion")
    file = write_json(
        build_export(build_entry_row("Coffee with Ann.", traces=["coffee", "weir"])), tmp_path / "f"
    )

    swap_indexes(coffee, abortion)
    report = import_file(owner, file)

    assert report.added == 1
    assert any("damaged" in fault for fault in report.faults)
    with owner.unlocked():
        imported = next(entry for entry in Entry.objects.all() if entry.text == "Coffee with Ann.")
    assert list_chips(owner, imported) == ["weir"]


def test_a_trace_that_was_deleted_is_not_restored_as_another(owner: Resident) -> None:
    entry = owner.write("A day.")
    coffee, abortion = add_traces(owner, entry, "coffee", "abortion")
    for trace in (coffee, abortion):
        owner.post(f"/entries/{entry.id}/traces/{trace.id}/remove/", script=True)

    swap_indexes(coffee, abortion)
    owner.post(f"/entries/{entry.id}/traces/keep/", script=True, pick="coffee")

    assert list_chips(owner, entry) == ["coffee"]
    assert set(Trace.objects.for_owner(owner.id).values_list("id", flat=True)).isdisjoint(
        {coffee.id, abortion.id}
    )


@pytest.fixture
def moved(owner: Resident) -> tuple[Entry, Entry, Trace, EntryTrace]:
    """An entry with a trace, another without, the trace, and its row after it was moved to the other."""
    entry, other = owner.write("Went to the clinic."), owner.write("Coffee with Ann.")
    (trace,) = add_traces(owner, entry, "abortion")
    add_traces(owner, owner.write("Rain."), "abortion")
    row = EntryTrace.objects.get(entry=entry)
    write("traces_kepttrace", row.id, entry_id=other.id)
    return entry, other, trace, row


Moved = tuple[Entry, Entry, Trace, EntryTrace]


def test_an_accepted_trace_that_was_moved_is_shown_nowhere(
    owner: Resident, moved: Moved, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    _, other, trace, row = moved

    with caplog.at_level(logging.WARNING, logger="traces.accepted"):
        assert list_chips(owner, other) == []

    assert [record.getMessage() for record in caplog.records] == [
        f"1 traces on entries are left out, because their codes are wrong: rows [{row.id}]"
    ]
    page = owner.get(f"/traces/{trace.id}/").content.decode()
    assert "Coffee with Ann." not in page
    assert "Rain." in page
    assert "Coffee with Ann." not in owner.get(f"/traces/{trace.id}/glance/", script=True).content.decode()
    with owner.unlocked():
        assert other.id not in find_entries_with_traces(owner.id, ["abortion"])
        assert other.id not in find_entries_by_trace_name(owner.id, "abortion")
    rows = export_to_folder(owner, tmp_path / "out")["entries"]
    assert [row["traces"] for row in rows if row["text"] == "Coffee with Ann."] == [[]]
    assert [row["traces"] for row in rows if row["text"] == "Rain."] == [["abortion"]]


def test_a_moved_row_does_not_stand_in_the_way_of_its_owner(owner: Resident, moved: Moved) -> None:
    _, other, _, row = moved

    assert owner.post(f"/entries/{other.id}/traces/keep/", script=True, pick="abortion").status_code == 200

    assert list_chips(owner, other) == ["abortion"]
    assert EntryTrace.objects.get(entry=other).id != row.id


def test_a_merge_does_not_make_a_moved_row_good(owner: Resident, moved: Moved) -> None:
    entry, other, trace, _ = moved
    (into,) = add_traces(owner, owner.write("Snow."), "health")
    write("traces_kepttrace", EntryTrace.objects.get(trace=into).id, entry_id=entry.id)

    answer = owner.post(f"/traces/{trace.id}/merge/", into=str(into.id))

    assert answer.status_code == 302
    assert list_chips(owner, other) == []
    assert list_chips(owner, entry) == []
    with owner.unlocked():
        (found,) = find_entries_with_traces(owner.id, ["health"])
        assert Entry.objects.get(id=found).text == "Rain."


def test_a_row_that_was_made_without_a_key_is_not_believed(owner: Resident) -> None:
    entry, other = owner.write("A day."), owner.write("Coffee with Ann.")
    (trace,) = add_traces(owner, entry, "abortion")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO traces_kepttrace (owner_id, trace_id, entry_id, created_at) VALUES (%s, %s, %s, %s)",
            [owner.id.hex, trace.id.hex, other.id.hex, "2026-01-01 00:00:00"],
        )

    assert list_chips(owner, other) == []
    assert list_chips(owner, entry) == ["abortion"]


@pytest.mark.parametrize("changes", [{"kind": "delete"}, {"into_id": None}])
def test_a_change_that_was_made_another_is_not_undone(owner: Resident, changes: dict[str, object]) -> None:
    trace, into = add_traces(owner, owner.write("A day."), "coffee", "tea")
    owner.post(f"/traces/{trace.id}/merge/", into=str(into.id))
    change = Change.objects.get()

    write("traces_change", change.id, **changes)

    assert owner.post(f"/traces/changes/{change.id}/undo/").status_code == 422
    assert list(Trace.objects.for_owner(owner.id)) == [into]


# --- What goes to the model ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_trace_is_not_read_always_because_the_database_says_so(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    earlier = owner.write("Went to the clinic.", day=owner.today - timedelta(days=3))
    chosen = owner.write("The weir froze.", day=owner.today - timedelta(days=2))
    (secret,) = add_traces(owner, earlier, "abortion")
    (weir,) = add_traces(owner, chosen, "weir")
    owner.post(f"/traces/{weir.id}/always/", wanted="on")
    entry = owner.write("Coffee with Ann.")

    write("traces_trace", secret.id, is_read_always=1)
    get_reply(owner, entry.id)

    assert "Went to the clinic." not in get_last_prompt(model)
    assert "The weir froze." in get_last_prompt(model)
    # Asked for by name it is not read either: which trace it is can't be known any more.
    get_reply(owner, entry.id, trace=str(secret.id))
    assert "Went to the clinic." not in get_last_prompt(model)


@pytest.mark.django_db(transaction=True)
def test_an_entry_does_not_go_to_the_model_by_a_trace_that_was_moved_to_it(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    secret = owner.write("Went to the clinic.", day=owner.today - timedelta(days=3))
    chosen = owner.write("The weir froze.", day=owner.today - timedelta(days=2))
    (weir,) = add_traces(owner, chosen, "weir")
    add_traces(owner, owner.write("Bread.", day=owner.today - timedelta(days=1)), "weir")
    entry = owner.write("Coffee with Ann.")

    write("traces_kepttrace", EntryTrace.objects.get(entry=chosen).id, entry_id=secret.id)
    get_reply(owner, entry.id, trace=str(weir.id))

    assert "Went to the clinic." not in get_last_prompt(model)
    assert "Bread." in get_last_prompt(model)


# --- Preferences -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_model_that_she_did_not_choose_is_not_asked(owner: Resident) -> None:
    with (
        FakeModelServer(kind="Ollama", model="wren:3b", also=("heron:7b", "eagle:70b")) as model,
        run_serving_loop(model.url),
    ):
        owner.set_preferences(model="heron:7b")
        write("accounts_person", owner.id, model="eagle:70b")

        get_reply(owner, owner.write("Tea.").id)

    assert [call["model"] for call in model.calls] == ["heron:7b"]


def test_searches_are_not_saved_because_the_database_says_so(
    owner: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    owner.set_preferences(saves_recent_searches=False)
    write("accounts_person", owner.id, saves_recent_searches=1)

    with caplog.at_level(logging.WARNING, logger="accounts.keys.sealed_preferences"):
        owner.post("/search/", q="clinic", submitted="1")

    assert not RecentSearch.objects.exists()
    assert [record.getMessage() for record in caplog.records] == [
        f"Preferences of person {owner.id} are not those of their encrypted copy, which is used: "
        "saves_recent_searches"
    ]


def test_related_entries_are_not_read_because_the_database_says_so(owner: Resident) -> None:
    owner.set_preferences(reads_related_entries=False)
    write("accounts_person", owner.id, reads_related_entries=1)

    with owner.unlocked():
        assert not sealed_preferences.load_person(owner.id).reads_related_entries


def test_a_difference_ends_with_the_next_save_of_a_preference(owner: Resident) -> None:
    owner.set_preferences(makes_openings=False, proposes_traces=False, idle_minutes=15)
    write("accounts_person", owner.id, makes_openings=1, proposes_traces=1, idle_minutes=240)

    owner.choose(text_size="large", idle_minutes="30")

    person = Person.objects.get(id=owner.id)
    assert (person.makes_openings, person.proposes_traces, person.idle_minutes) == (False, False, 30)
    assert person.text_size == "large"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_diary_locks_when_she_chose_it_to(owner: Resident, is_known: bool) -> None:
    owner.set_preferences(idle_minutes=15)
    if not is_known:
        # As after a start of the server, before her first request.
        sealed_preferences._idle_minutes.clear()
    write("accounts_person", owner.id, idle_minutes=240)
    Unlock.objects.update(last_active=timezone.now() - timedelta(minutes=16))

    assert not owner.is_unlocked()
    assert not Unlock.objects.exists()


def test_the_sweep_locks_when_she_chose_it_to(owner: Resident) -> None:
    from accounts.sessions.services import end_expired_sessions

    owner.set_preferences(idle_minutes=15)
    write("accounts_person", owner.id, idle_minutes=240)
    Unlock.objects.update(last_active=timezone.now() - timedelta(minutes=16))

    assert end_expired_sessions() == 1


@pytest.mark.parametrize("value", [None, b"damaged"])
def test_without_the_sealed_copy_nothing_is_opened(
    owner: Resident, housemate: Resident, value: object
) -> None:
    vault = owner.get_vault()
    if value is not None:
        # With the epoch that the fence asks for.
        value = read_columns("accounts_vault", vault.id, "preferences")["preferences"][:40] + bytes(80)

    write("accounts_vault", vault.id, preferences=value)

    assert not owner.is_unlocked()
    assert housemate.is_unlocked()
