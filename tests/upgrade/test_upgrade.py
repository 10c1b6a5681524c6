"""Tests that a database, a backup and an export of faa336b open completely with the present code.

`make_household.py` creates the household, and `household.py` opens it on any later day. The expected values
come from the exports that faa336b wrote. Three households are served, each once: the old data folder, its
restored backup, and a new household into which an old export is imported.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.accounts.pages import get_shown_code, list_requested_groups
from tests.browser_client import Visitor
from tests.page import read
from tests.server import Server, run_command
from tests.upgrade.household import (
    EMBEDDER,
    NAMES,
    Household,
    get_export,
    serve_household,
    serve_new_household,
    wait_for,
)
from tests.upgrade.pages import Page, get_words
from tests.upgrade.sealed_columns import SEALED, TRIGGERS, list_values

IN = ("Agnes", "Bruno", "Clara")  # Dora is switched off
# When it was exported, and the moments that `household.py` moves on.
DIFFERS = {"exported_at", "deleted_at", "replaced_at", "made_at"}
# Made under the key, which the move to format 2 replaces; and what an export of then did not have.
ANEW = DIFFERS | {"name_index", "origin", "provenance", "inbox_items", "signature"}
ANEW |= {"counts", "import_claims", "facts", "fact_changes", "fact_settings", "declined_facts"}
ANEW |= {"notes", "note_versions", "note_drafts"}
ANEW |= {"hides_model_notice", "sampling", "questions", "look_backs"}
ANEW |= {"check_ins", "check_in_proposals", "check_in_settings"}
# What an import makes anew or leaves out, as the docstring of the export's format tells.
# Which traces are read for every reply is left to the owner again.
ELSEWHERE = ANEW | {"id", "keep_key", "source", "digest", "is_read_always"}
OF_THE_MACHINE = {"run secret", "swap", "core dumps", "disk space", "clock"}
UNLOCKS = ("password", "code")
# Tables of then whose columns are the person's now: where they went.
MOVED = {
    "diary_preferences": {"makes_openings": "makes_openings"},
    "traces_choices": {"makes_proposals": "proposes_traces"},
    "search_searchpreference": {
        "keeps_recent": "saves_recent_searches",
        "recalls_for_answers": "reads_related_entries",
    },
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with serve_household(tmp_path_factory.mktemp("upgraded")) as household:
        yield household


@pytest.fixture(scope="module")
def restored_backup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with serve_household(tmp_path_factory.mktemp("restored"), from_backup=True) as household:
        yield household


@pytest.fixture(scope="module")
def new_household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_new_household(tmp_path_factory.mktemp("new")) as server:
        yield server


def entries(diary: Any, *, deleted: bool = False) -> list[Any]:
    return [entry for entry in diary["entries"] if bool(entry["deleted_at"]) is deleted]


def list_rows(diary: Any) -> dict[str, Any]:
    """Return the rows of an export by id."""
    found = {}
    waiting = [*diary["entries"], *(row for rows in diary["others"].values() for row in rows)]
    while waiting:
        row = waiting.pop()
        found[row["id"].replace("-", "")] = row
        lists = (value for value in row.values() if isinstance(value, list))
        waiting += [each for rows in lists for each in rows if isinstance(each, dict) and "id" in each]
    return found


def strip_names(value: Any, names: set[str]) -> Any:
    """Return a part of an export without these names; a moment becomes whether it is set."""
    if isinstance(value, list):
        return [strip_names(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: each is not None if key in names & DIFFERS else strip_names(each, names)
        for key, each in value.items()
        if key in DIFFERS or key not in names
    }


def comparable(diary: Any, *, late: str = "", differs: set[str] = DIFFERS) -> Any:
    """Return an export for comparison, without a late draft, which had no code in the version of then."""
    drafts = [row for row in diary["others"]["drafts"] if row["text"] != late]
    return strip_names({**diary, "others": {**diary["others"], "drafts": drafts}}, differs)


def enable(house: Household, name: str) -> None:
    if house.rows("SELECT is_active FROM accounts_person WHERE name = ?", name) == [(0,)]:
        house.manage("users", "--enable", name)


def can_find(browser: Visitor, typed: str, text: str) -> bool:
    """Return whether a search finds a text, once the index is open; the search is not saved."""
    return bool(wait_for(lambda: Page.read(browser.post("/search/", q=typed).body).says(text), seconds=30))


# --- The database ------------------------------------------------------------------------------------------


def test_every_row_is_there_after_the_first_start(house: Household) -> None:
    before = house.expected["rows"]
    apps = ("accounts", "diary", "search", "traces")
    own = {name for name in before if name.split("_")[0] in apps} - MOVED.keys()

    with closing(sqlite3.connect(house.at_first)) as first:
        counts = {name: first.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in own}

    assert counts == {name: before[name] for name in own}


def test_no_table_and_no_trigger_has_another_name(house: Household) -> None:
    assert house.names_before - house.names() == MOVED.keys()
    assert {name for name in house.names_before if name.startswith("fence_")} == TRIGGERS


def test_a_new_household_calls_its_tables_and_triggers_the_same(
    house: Household, new_household: Server
) -> None:
    with closing(sqlite3.connect(new_household.data_dir / "llamora.sqlite3")) as made:
        names = {name for (name,) in made.execute("SELECT name FROM sqlite_master")}

    assert house.names_before - names == MOVED.keys()


def test_the_fence_refuses_an_envelope_of_another_key_in_every_sealed_column(
    house: Household, tmp_path: Path
) -> None:
    shutil.copy(house.at_first, tmp_path / "copy.sqlite3")
    refused = set()
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
        for table, column in SEALED:
            with pytest.raises(sqlite3.IntegrityError) as refusal:
                copy.execute(f"UPDATE {table} SET {column} = x'010000FFFF' || zeroblob(60)")
            copy.rollback()
            refused |= {(table, column)} if f"{table}.{column}" in str(refusal.value) else set()

    assert refused == set(SEALED)


@pytest.mark.parametrize("secret", UNLOCKS)
@pytest.mark.parametrize("name", NAMES)
def test_every_sealed_value_opens_without_this_program_and_says_what_was_exported(
    house: Household, name: str, secret: str
) -> None:
    exported = list_rows(house.exported(name))
    opened = list(list_values(house.at_first, name=name, secret=house.secrets(name)[secret]))

    compared = [value for value in opened if value.column in exported.get(value.row, {})]
    assert [value for value in compared if not value.is_like(exported[value.row][value.column])] == []
    assert {value.row for value in compared} >= exported.keys() - _export_merged(house, exported)


def _export_merged(house: Household, exported: dict[str, Any]) -> set[str]:
    """Return the drafts that an export merged in a copy of the household."""
    return {id_ for id_, row in exported.items() if row.get("text") == house.expected["locked"]["late"]}


# --- Coming in ---------------------------------------------------------------------------------------------


def test_a_browser_that_was_signed_in_and_locked_is_so_still_and_what_came_meanwhile_is_shown_apart(
    house: Household,
) -> None:
    locked = house.expected["locked"]
    secrets = house.secrets(locked["name"])
    clara = Visitor(
        server=house.server, name=locked["name"], owner=secrets["id"], password=secrets["password"]
    )
    clara.cookies |= locked["cookies"]

    away = clara.get("/settings/")
    answer = clara.unlock()

    assert urlsplit(away.headers["location"]).path == "/unlock/"
    assert answer.status == 302
    assert clara.get("/settings/").status == 200
    ((day,),) = house.rows("SELECT day FROM diary_latedraft")
    page = Page.read(clara.get(f"/d/{day}/").body, path=f"/d/{day}/")
    assert page.form(f"/d/{day}/").fields["text"] == ""
    assert "/drafts/" in page.links
    assert Page.read(clara.get("/drafts/").body).says(locked["late"])


def get_epoch(house: Household, name: str) -> int:
    found = house.rows("SELECT epoch FROM accounts_vault WHERE owner_id = ?", _get_id(house, name))
    return int(found[0][0])


def test_a_rotation_that_was_broken_off_goes_on_and_ends_at_the_first_sign_in(house: Household) -> None:
    bruno = house.secrets("Bruno")
    house.browser("Bruno")

    wait_for(
        lambda: (
            house.rows("SELECT 1 FROM accounts_formerkey WHERE owner_id = ?", _get_id(house, "Bruno")) == []
        )
    )

    opened = list_values(house.database, name="Bruno", secret=bruno["password"])
    # It had come to epoch 2, and the move to format 2 took everything on.
    assert {value.epoch for value in opened} == {get_epoch(house, "Bruno")} == {3}


def test_who_was_switched_off_is_kept_out_and_comes_in_once_switched_on(house: Household) -> None:
    dora = Visitor(server=house.server, name="Dora", owner=house.secrets("Dora")["id"])
    dora.password = house.secrets("Dora")["password"]
    assert dora.sign_in().status != 302

    enable(house, "Dora")

    (entry,) = house.exported("Dora")["entries"]
    assert house.page("Dora", f"/d/{entry['day']}/").says(entry["text"])


# --- The pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN)
def test_every_day_shows_its_entries_replies_and_traces(house: Household, name: str) -> None:
    for entry in entries(house.exported(name)):
        page = house.page(name, f"/d/{entry['day']}/")
        texts = [entry["text"], *entry["traces"], *(reply["text"] for reply in entry["replies"])]
        assert [text for text in texts if not page.says(text)] == []


@pytest.mark.parametrize("name", IN)
def test_the_form_of_every_entry_holds_its_exact_text_or_what_was_being_changed(
    house: Household, name: str
) -> None:
    diary = house.exported(name)
    drafts = {draft["entry_id"]: draft["text"] for draft in diary["others"]["drafts"]}

    for entry in entries(diary):
        path = f"/entries/{entry['id']}/edit/"
        text = house.page(name, path).form(path).fields["text"]
        assert text == drafts.get(entry["id"], entry["text"])


@pytest.mark.parametrize("name", IN)
def test_what_was_being_written_is_in_the_box_of_its_day(house: Household, name: str) -> None:
    late = house.expected["locked"]["late"]
    for draft in house.exported(name)["others"]["drafts"]:
        if draft["entry_id"] is None and draft["text"] != late:
            path = f"/d/{draft['day']}/"
            assert house.page(name, path).form(path).fields["text"] == draft["text"]


def test_the_bin_holds_what_was_deleted_and_its_day_does_not(house: Household) -> None:
    (gone,) = entries(house.exported("Agnes"), deleted=True)

    assert house.page("Agnes", "/bin/").says(gone["text"])
    assert f"/entries/{gone['id']}/restore/" in house.page("Agnes", "/bin/").actions()
    assert not house.page("Agnes", f"/d/{gone['day']}/").says(gone["text"])


@pytest.mark.parametrize("name", IN)
def test_what_entries_said_before_is_there_in_its_order(house: Household, name: str) -> None:
    for entry in entries(house.exported(name)):
        page = house.page(name, f"/entries/{entry['id']}/versions/")
        places = [page.text.find(get_words(version["text"])) for version in entry["versions"]]
        assert -1 not in places
        assert {f"/versions/{version['id']}/restore/" for version in entry["versions"]} <= page.actions()


def test_replies_say_in_whose_way_they_are_and_what_was_read(house: Household) -> None:
    diary = house.exported("Agnes")
    (way,) = diary["others"]["ways_of_answering"]
    entry = next(entry for entry in diary["entries"] if any(r["kind"] == "own" for r in entry["replies"]))

    ways = house.page("Agnes", f"/entries/{entry['id']}/ways/")
    assert ways.says(way["words"]["name"])
    assert ways.says(way["words"]["wish"])
    assert way["id"] in ways.offers("kind")
    assert house.page("Agnes", f"/d/{entry['day']}/").says(way["words"]["name"])
    kinds = {reply["kind"]: reply["id"] for entry in diary["entries"] for reply in entry["replies"]}
    assert set(kinds) == {"respond", "reflect", "question", "summary", "own"}
    assert all(house.page("Agnes", f"/replies/{reply}/read/").text for reply in kinds.values())


@pytest.mark.parametrize("name", IN)
def test_openings_stand_on_their_days_and_none_where_it_was_dismissed(house: Household, name: str) -> None:
    for opening in house.exported(name)["others"]["openings"]:
        page = house.page(name, f"/d/{opening['day']}/")
        assert page.says(opening["text"])
        is_there = f"/d/{opening['day']}/opening/dismiss/" in page.actions()
        assert is_there is not opening["is_dismissed"]


def test_a_day_put_in_short_is_so_still(house: Household) -> None:
    (recap,) = house.exported("Agnes")["others"]["recaps"]

    answer = house.browser("Agnes").post(f"/d/{recap['day']}/recap/", asked="1")

    assert Page.read(answer.body).says(recap["body"]["text"])


def test_the_place_of_every_trace_says_its_name_its_entries_and_what_it_comes_to(house: Household) -> None:
    diary = house.exported("Agnes")
    listed = house.page("Agnes", "/traces/")

    for trace in diary["others"]["traces"]:
        assert listed.says(trace["name"]) is (trace["deleted_at"] is None)
        if trace["deleted_at"] is None:
            page = house.page("Agnes", f"/traces/{trace['id']}/")
            texts = [entry["text"] for entry in entries(diary) if trace["name"] in entry["traces"]]
            texts += [trace["summary"]["text"]] if trace["summary"] else []
            assert texts
            assert [text for text in texts if not page.says(text)] == []
            wanted = page.form(f"/traces/{trace['id']}/always/")
            assert ("off" in _get_form_values(wanted)) is trace["is_read_always"]


def _get_form_values(form: Any) -> set[str]:
    return {*form.fields.values(), *(value for _, value, _ in form.buttons)}


def test_traces_that_were_proposed_are_offered_and_a_dismissed_one_is_not(house: Household) -> None:
    entry = next(entry for entry in house.exported("Agnes")["entries"] if entry["proposals"])
    body = entry["proposals"][0]["body"]

    offered = house.page("Agnes", f"/d/{entry['day']}/").offers("pick")

    assert offered >= set(body["offered"]) - set(body["dismissed"])
    assert not offered & set(body["dismissed"])


def test_settings_are_as_they_were_chosen(house: Household) -> None:
    chosen = house.expected["settings"]

    fields = house.page("Agnes", "/settings/").form("/settings/").fields
    others = house.page("Clara", "/settings/").form("/settings/").fields

    assert {name: fields[name] for name in chosen} == chosen
    assert not {name for name in chosen if others[name] == chosen[name]}
    now, then = (
        strip_names(diary["person"], ANEW) for diary in (house.export("Agnes"), house.exported("Agnes"))
    )
    assert now == then


@pytest.mark.parametrize("table", MOVED)
def test_what_was_chosen_in_a_table_of_its_own_is_the_persons_choice(house: Household, table: str) -> None:
    then, now = MOVED[table].keys(), MOVED[table].values()

    with closing(sqlite3.connect(house.packed)) as packed:
        chosen = packed.execute(f"SELECT owner_id, {', '.join(then)} FROM {table}").fetchall()
    kept = house.rows(f"SELECT id, {', '.join(now)} FROM accounts_person")

    everybody = {person for (person,) in house.rows("SELECT id FROM accounts_person")}
    others = everybody - {person for person, *_ in chosen}
    assert chosen
    assert sorted(kept) == sorted([*chosen, *((person, *[1] * len(now)) for person in others)])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Agnes", "makes_openings"),
        ("Agnes", "proposes_traces"),
        ("Agnes", "reads_related_entries"),
        ("Bruno", "saves_recent_searches"),
    ],
)
def test_what_is_switched_off_is_shown_so(house: Household, name: str, field: str) -> None:
    assert house.page(name, "/settings/").form("/settings/").fields[field] == "False"
    assert house.page("Clara", "/settings/").form("/settings/").fields[field] == "True"


@pytest.mark.parametrize("path", ["/openings/", "/traces/choices/", "/search/for-answers/"])
def test_what_had_a_page_of_its_own_is_found_from_there(house: Household, path: str) -> None:
    answer = house.browser("Agnes").get(path)

    assert (answer.status, answer.headers["location"]) == (302, "/settings/#your-day")


def test_the_administrator_sees_who_is_here_and_who_came_by_which_link(house: Household) -> None:
    listed = [
        link
        for link in house.page("Agnes", "/admin/").links
        if link.startswith("/admin/") and link != "/admin/"
    ]
    pages = [
        house.page("Agnes", link)
        for link in dict.fromkeys(listed)
        if "/add/" not in link and "log" not in link
    ]

    people = [page for page in pages if all(page.says(name) for name in NAMES)]
    assert people
    came = [page for page in pages if all(page.says(name) for name in NAMES[1:]) and page not in people[:1]]
    assert came
    assert house.browser("Bruno").get("/admin/").status != 200


def test_an_invitation_that_was_open_lets_somebody_in(restored_backup: Household) -> None:
    emil = Visitor(server=restored_backup.server, name="Emil")
    emil.get("/sign-in/")
    fields = {"name": "Emil", "password": emil.password, "password_again": emil.password, "time_zone": "UTC"}

    answer = emil.post("/register/", invite=restored_backup.expected["invitation"], **fields)

    assert answer.status == 200
    assert restored_backup.rows("SELECT is_staff FROM accounts_person WHERE name = 'Emil'") == [(0,)]


# --- Searching ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("kingfisher in:entries", "The kingfisher came back"),
        ('"slow tune"', "practised a slow tune all evening"),
        ("GRUSSE", "stays as it was typed"),
        ("walnut*", "walnuts from the neighbour"),
        ("trace:Größe", "Mended the gate"),
        ("friend in:replies", "Old friend, that bird"),
        ("music in:openings", "with music in them"),
        ("fog in:recaps", "A day of fog"),
    ],
)
def test_what_was_written_is_found(house: Household, typed: str, text: str) -> None:
    assert can_find(house.browser("Agnes"), typed, text)


def test_a_saved_index_goes_with_the_key_of_then_and_is_made_anew(house: Household) -> None:
    assert can_find(house.browser("Agnes"), "kingfisher in:entries", "The kingfisher came back")

    epochs = {name.split("-")[1] for name in house.kept_indexes()}
    assert epochs <= {str(get_epoch(house, "Agnes"))}


def test_what_was_searched_before_is_offered_again(house: Household) -> None:
    assert house.page("Agnes", "/search/").offers("instead") >= {"kingfisher", '"slow tune"'}
    assert "on" in house.page("Bruno", "/search/").offers("do")
    assert "off" in house.page("Agnes", "/search/").offers("do")


@pytest.mark.skipif(not EMBEDDER.is_dir(), reason="the shared folder has no embedder")
def test_what_was_written_is_found_by_its_meaning(house: Household) -> None:
    assert can_find(house.browser("Agnes"), "a musician at his instrument", "The organist practised")


# --- The same again: exported, rotated, imported, restored -------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_export_says_what_the_one_of_then_said(house: Household, name: str) -> None:
    enable(house, name)
    late = house.expected["locked"]["late"]

    now = comparable(house.export(name), late=late, differs=ANEW)
    assert now == comparable(house.exported(name), late=late, differs=ANEW)


def test_a_new_rotation_gives_everything_a_new_key_and_loses_nothing(house: Household) -> None:
    epoch = get_epoch(house, "Agnes")

    house.manage("rotate_dek", "Agnes", "--verify", of="Agnes", by="code")

    for secret in UNLOCKS:
        opened = list(list_values(house.database, name="Agnes", secret=house.secrets("Agnes")[secret]))
        assert {value.epoch for value in opened} == {epoch + 1}
    then, now = house.exported("Agnes"), house.export("Agnes")
    # The indexes of names are made under the key, and are other ones now.
    assert comparable(now, differs=ANEW) == comparable(then, differs=ANEW)
    assert can_find(house.browser("Agnes"), "kingfisher in:entries", "The kingfisher came back")


def _get_id(house: Household, name: str) -> str:
    return str(house.secrets(name)["id"]).replace("-", "")


def test_verify_and_doctor_find_everything_in_order(house: Household) -> None:
    for name in NAMES:
        # Moves the diary to format 2.
        enable(house, name)
        house.browser(name)
    house.manage("verify", "--user", "Clara", of="Clara", by="code")
    ran = run_command(house.folder, "doctor", extra=house.extra)

    verdicts = [line.split(maxsplit=1) for line in ran.stdout.splitlines()]
    said = [(level, rest.partition(":")[0]) for level, rest in verdicts]
    assert {("ok", label) for label, _ in SEALED.values()} <= set(said)
    assert [about for level, about in said if level == "bad" and about not in OF_THE_MACHINE] == []


def test_an_export_of_then_is_the_same_diary_in_a_new_household(
    house: Household, new_household: Server
) -> None:
    agnes = Visitor.join(new_household, "Agnes")

    taken = _import(new_household, agnes, house.folder / "exports" / "Agnes")

    then, now = house.exported("Agnes"), get_export(agnes)
    drafts = {(row["day"], row["text"]) for row in then["others"]["drafts"] if row["entry_id"] is None}
    waiting = {(row["day"], row["body"]["text"]) for row in now["others"]["inbox_items"]}
    assert waiting == drafts
    assert taken.stderr.count("waits in the Inbox.") == taken.stderr.count("\n") == len(drafts)
    assert get_imported_part(now) == get_imported_part(then)
    assert list_ids(now) == list_ids(then)


def _import(server: Server, who: Visitor, export: Path) -> Any:
    secret = server.folder / "secret"
    secret.write_text(who.password + "\n")
    command = ("import_diary", str(export), "--user", who.name, "--password-file", str(secret))
    ran = run_command(server.folder, *command, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def get_imported_part(diary: Any) -> Any:
    """Return the part of an export that is imported: no recaps and no undo information."""
    others = {kind: rows for kind, rows in diary["others"].items() if kind not in ("recaps", "changes")}
    others["traces"] = [row for row in others["traces"] if row["deleted_at"] is None]
    # A draft of a day waits in the Inbox of another diary.
    drafts = [
        {key: value for key, value in row.items() if key != "revision"}
        for row in others["drafts"]
        if row["entry_id"] is not None
    ]
    return strip_names([diary["entries"], {**others, "drafts": drafts}], ELSEWHERE)


def list_ids(diary: Any) -> list[str]:
    """Return the ids that an import preserves."""
    kept = [*diary["entries"], *diary["others"]["traces"], *diary["others"]["ways_of_answering"]]
    return [row["id"] for row in kept if row.get("deleted_at") is None or row in diary["entries"]]


def test_a_backup_of_then_opens_with_everything_in_it(restored_backup: Household) -> None:
    for name in ("Agnes", "Bruno"):
        then = comparable(restored_backup.exported(name), differs=ANEW)
        assert comparable(restored_backup.export(name), differs=ANEW) == then


def test_a_recovery_code_of_then_gives_a_new_password(restored_backup: Household) -> None:
    secrets = restored_backup.secrets("Clara")
    clara = Visitor(server=restored_backup.server, name="Clara", owner=secrets["id"])
    clara.get("/recover/")
    new = "another sentence for a rainy day"

    fields = {"name": "Clara", "code": secrets["code"], "password": new, "password_again": new}
    answer = clara.post("/recover/", **fields)
    secrets["password"] = new

    assert answer.status == 200
    groups = get_shown_code(answer).split("-")
    group_a, group_b = (groups[index] for index in list_requested_groups(answer))
    carried = read(answer).one('[name="carried"]').get("value")
    confirmed = clara.post("/recovery-kept/", carried=carried, group_a=group_a, group_b=group_b)
    assert confirmed.status == 302
    entry = restored_backup.exported("Clara")["entries"][0]
    assert restored_backup.page("Clara", f"/d/{entry['day']}/").says(entry["text"])


def test_what_was_deleted_edited_and_renamed_then_can_be_had_back(restored_backup: Household) -> None:
    agnes, diary = restored_backup.browser("Agnes"), restored_backup.exported("Agnes")
    (gone,) = entries(diary, deleted=True)
    edited = next(entry for entry in diary["entries"] if entry["versions"])

    agnes.post(f"/entries/{gone['id']}/restore/")
    agnes.post(f"/versions/{edited['versions'][0]['id']}/restore/")
    for change in diary["others"]["changes"]:
        agnes.post(f"/traces/changes/{change['id']}/undo/")

    assert restored_backup.page("Agnes", f"/d/{gone['day']}/").says(gone["text"])
    assert restored_backup.page("Agnes", f"/d/{edited['day']}/").says(edited["versions"][0]["text"])
    names = {change["body"]["was"] for change in diary["others"]["changes"] if "was" in change["body"]}
    names |= {trace["name"] for trace in diary["others"]["traces"] if trace["deleted_at"]}
    assert [name for name in names if not restored_backup.page("Agnes", "/traces/").says(name)] == []


# --- The same for everybody, which takes longer ------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Bruno", "Clara"])
def test_everybodys_export_goes_into_a_new_household(house: Household, tmp_path: Path, name: str) -> None:
    with serve_new_household(tmp_path) as server:
        person = Visitor.join(server, name)
        _import(server, person, house.folder / "exports" / name)
        then, now = house.exported(name), get_export(person)

    assert get_imported_part(now) == get_imported_part(then)
    assert list_ids(now) == list_ids(then)


@pytest.mark.slow
@pytest.mark.parametrize("secret", UNLOCKS)
@pytest.mark.parametrize("name", IN)
def test_the_backup_opens_for_everybody_with_either_secret(house: Household, name: str, secret: str) -> None:
    said = house.manage("verify", str(house.backup), "--user", name, of=name, by=secret)

    (packed,) = {row.split(":")[0] for row in said.splitlines() if row.startswith("diary.entry.text")}
    assert packed == "diary.entry.text"


@pytest.mark.slow
@pytest.mark.parametrize("name", IN)
def test_the_command_exports_the_same_as_the_page(house: Household, tmp_path: Path, name: str) -> None:
    house.manage("export_diary", name, "--to", str(tmp_path / "out"), of=name, by="code")

    now = json.loads((tmp_path / "out" / "diary.json").read_text(encoding="utf-8"))
    # The origins of a day's entries were not in its front matter then.
    days = {
        path.name: re.sub(r"(?m)^    origin: [a-z]+\n", "", path.read_text())
        for path in (tmp_path / "out" / "days").rglob("*.md")
    }
    then = {path.name: path.read_text() for path in (house.folder / "exports" / name).rglob("*.md")}
    late = house.expected["locked"]["late"]
    assert comparable(now, late=late, differs=ANEW) == comparable(
        house.exported(name), late=late, differs=ANEW
    )
    assert days == then


@pytest.mark.slow
def test_a_rotation_from_the_page_ends_and_loses_nothing(house: Household) -> None:
    clara = house.browser("Clara")
    clara.post("/settings/key/", current=clara.password)

    wait_for(
        lambda: (
            house.rows("SELECT 1 FROM accounts_formerkey WHERE owner_id = ?", _get_id(house, "Clara")) == []
        )
    )

    opened = list_values(house.database, name="Clara", secret=house.secrets("Clara")["code"])
    assert {value.epoch for value in opened} == {get_epoch(house, "Clara")}
    for entry in house.exported("Clara")["entries"]:
        assert house.page("Clara", f"/d/{entry['day']}/").says(entry["text"])
