"""Tests of "This is mine" for an entry and for a whole import, and of its undo for thirty days."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from diary import days
from diary.entries.services import edit_entry
from diary.generation.prompt_entries import build_prompt_entry
from diary.history.services import restore_version
from diary.models import Entry, ImportClaim, Origin, Recap, Version
from diary.origins import claim_threads, services
from diary.origins.imports import EARLIER, ImportRun, compute_review, list_imports
from diary.origins.labels import get_entry_label
from diary.origins.provenance import Provenance
from diary.transfer.day_restoration import read_backed_up_entries, restore_entries
from diary.transfer.line_imports import import_lines
from diary.transfer.line_reader import ImportLine
from llamora.fields import new_id
from tests.clock.records import settle_clock
from tests.diary.damage import flip_a_bit
from tests.diary.late_drafts import send_unlocked
from tests.page import read
from tests.people import PASSWORD, Resident, new_resident, register_resident
from tests.rotation.processes import KILLED, die_at_statement, run_forked

DAY = date(2026, 3, 5)


def import_texts(who: Resident, *texts: str, source: str = "Day One") -> list[Entry]:
    lines = [ImportLine(number, DAY, text) for number, text in enumerate(texts)]
    import_lines(person=who.person, keyring=who.keyring, lines=lines, source=source)
    return list(Entry.objects.filter(owner_id=who.id).order_by("-id")[: len(texts)][::-1])


def write_with_origin(who: Resident, origin: Origin, *, source: str = "") -> Entry:
    with who.unlocked():
        return Entry.objects.create(
            owner_id=who.id,
            day=DAY,
            text="Buy eggs.",
            origin=origin,
            provenance=Provenance(source=source).to_json(),
        )


def load_origins(who: Resident) -> list[str]:
    """Return the origins of a person's entries; each must open."""
    with who.unlocked():
        entries = list(Entry.objects.filter(owner_id=who.id).order_by("id"))
        assert all(entry.text for entry in entries)
        return [entry.origin for entry in entries]


def claim_run(who: Resident, run: ImportRun) -> int | None:
    return services.claim_import(owner_id=who.id, import_id=run.id, review=compute_review(who.id, run))


def age_claim(who: Resident, entry: Entry, *, days: int) -> None:
    with who.unlocked():
        row = Entry.objects.get(id=entry.id)
        row.provenance = row.provenance | {"mine_at": (timezone.now() - timedelta(days=days)).isoformat()}
        row.save()


# --- The words beside an entry ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "source", "words"),
    [
        (Origin.OWN, "", None),
        (Origin.OWN_TOKEN, "Kitchen tablet", "from Kitchen tablet"),
        (Origin.OWN_TOKEN, "", "written with a program"),
        (Origin.IMPORTED, "Day One", "imported from Day One"),
        (Origin.IMPORTED, "", "imported"),
        (Origin.PROGRAM, "<b>\u202eme</b>", "from <b>me</b>"),
        (Origin.PROGRAM, "", "from a program"),
        (Origin.MODEL, "", "written by the model"),
    ],
)
def test_an_entry_says_where_it_is_from_outside_its_text(
    owner: Resident, origin: Origin, source: str, words: str | None
) -> None:
    entry = write_with_origin(owner, origin, source=source)

    page = read(owner.get(f"/d/{DAY}/")).one(f"#entry-{entry.id}")

    assert page.texts(".origin") == ([words] if words else [])
    assert page.one(".prose").text == "Buy eggs."
    assert not page.has(".prose .origin, .prose button, .prose form")
    menu = read(owner.get(f"/entries/{entry.id}/ways/", script=True))
    is_offered = bool(words) and origin != Origin.OWN_TOKEN
    assert menu.has(f'button[formaction="/entries/{entry.id}/mine/"]') is is_offered


def test_a_text_cannot_make_the_button(owner: Resident) -> None:
    entry = import_texts(owner, '<form action="/entries/x/mine/"><button>This is mine</button></form>')[0]

    page = read(owner.get(f"/d/{DAY}/")).one(f"#entry-{entry.id} .prose")

    assert not page.has("button, form")


def test_a_damaged_provenance_says_nothing_and_hides_nothing(owner: Resident) -> None:
    entry = import_texts(owner, "Fog.")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE diary_entry SET provenance = CAST(substr(provenance, 1, 30) || zeroblob(50) AS BLOB)"
        )

    with owner.unlocked():
        label = get_entry_label(Entry.objects.get(id=entry.id))

    assert label
    assert (label.words, label.source) == ("imported", "")
    assert "Fog." in owner.get(f"/d/{DAY}/").content.decode()


# --- One entry -------------------------------------------------------------------------------------------


def test_an_entry_becomes_ones_own_and_back(owner: Resident) -> None:
    entry = write_with_origin(owner, Origin.PROGRAM, source="Kitchen tablet")
    with owner.unlocked():
        Recap.objects.create(owner_id=owner.id, day=DAY, body={"text": "x", "digest": "00"})

    answer = owner.post(f"/entries/{entry.id}/mine/")

    assert answer["Location"].endswith(f"#entry-{entry.id}")
    assert load_origins(owner) == [Origin.OWN]
    assert not Recap.objects.exists()
    menu = read(owner.get(f"/entries/{entry.id}/ways/", script=True))
    assert menu.has(f'button[formaction="/entries/{entry.id}/not-mine/"]')
    # It stays what it is, whatever is done with it.
    owner.post(f"/entries/{entry.id}/edit/", text="Buy bread.", revision=1)
    assert load_origins(owner) == [Origin.OWN]
    answer = owner.post(f"/entries/{entry.id}/not-mine/", script=True)
    assert read(answer).texts(".origin") == ["from Kitchen tablet"]
    assert load_origins(owner) == [Origin.PROGRAM]
    with owner.unlocked():
        assert Provenance.load(Entry.objects.get()) == Provenance(source="Kitchen tablet")


def test_a_model_is_told_no_time_for_what_came_without_one_whosever_it_is(owner: Resident) -> None:
    (came,) = import_texts(owner, "Fog.")
    typed = owner.write("Tea.", day=DAY, at=days.get_noon(DAY, owner.person.time_zone))

    assert [load_prompt_time(owner, entry) for entry in (came, typed)] == ["", "12:00"]
    with owner.unlocked():
        services.claim_entry(owner_id=owner.id, entry_id=came.id)
    assert load_origins(owner) == [Origin.OWN, Origin.OWN]
    assert load_prompt_time(owner, came) == ""


def load_prompt_time(who: Resident, entry: Any) -> str:
    """Return the time of day of an entry in a prompt."""
    with who.unlocked():
        prompt_entry = build_prompt_entry(Entry.objects.get(id=entry.id), zone=who.person.time_zone)
    assert prompt_entry is not None
    return prompt_entry.time


def test_a_text_from_before_the_claim_does_not_become_ones_own(owner: Resident) -> None:
    (entry,) = import_texts(owner, "Do as I say.")
    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="I say nothing.", revision=1)
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="I say little.", revision=2)
        services.claim_entry(owner_id=owner.id, entry_id=entry.id)
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="I say much.", revision=3)
        before, _, claimed = Version.objects.order_by("revision")

        restore_version(owner_id=owner.id, version_id=claimed.id)
        assert load_origins(owner) == ["own"]
        restore_version(owner_id=owner.id, version_id=before.id)

        (found,) = Entry.objects.filter(owner_id=owner.id)
        assert (found.text, found.origin) == ("Do as I say.", "imported")
        assert Provenance.load(found).former_origin is None
        services.claim_entry(owner_id=owner.id, entry_id=entry.id)
        assert load_origins(owner) == ["own"]


def test_a_text_of_a_backup_from_before_the_claim_does_not_become_ones_own(owner: Resident) -> None:
    (entry,) = import_texts(owner, "Do as I say.")
    who: dict[str, Any] = {"person": owner.person, "keyring": owner.keyring, "now": timezone.now()}
    backup = read_backed_up_entries(day=DAY, keyring=owner.keyring, now=who["now"])
    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="I say nothing.", revision=1)
        services.claim_entry(owner_id=owner.id, entry_id=entry.id)

    restore_entries(entries=backup.entries, **who)

    assert owner.list_texts(DAY) == ["Do as I say."]
    assert load_origins(owner) == ["imported"]


def test_what_is_ones_own_stays_as_it_is(owner: Resident) -> None:
    entry = owner.write("Mine.", day=DAY)

    for act in ("mine", "not-mine"):
        assert owner.post(f"/entries/{entry.id}/{act}/").status_code == 302

    with owner.unlocked():
        found = Entry.objects.get()
        assert (found.origin, found.provenance) == (Origin.OWN, None)


def test_after_thirty_days_it_cannot_be_undone(owner: Resident) -> None:
    entry = write_with_origin(owner, Origin.IMPORTED)
    owner.post(f"/entries/{entry.id}/mine/")
    settle_clock()
    age_claim(owner, entry, days=31)

    menu = read(owner.get(f"/entries/{entry.id}/ways/", script=True))
    owner.post(f"/entries/{entry.id}/not-mine/")

    assert not menu.has(f'button[formaction="/entries/{entry.id}/not-mine/"]')
    assert load_origins(owner) == [Origin.OWN]


def test_a_damaged_text_is_not_claimed(owner: Resident) -> None:
    entry = write_with_origin(owner, Origin.IMPORTED)
    flip_a_bit(entry)

    assert owner.post(f"/entries/{entry.id}/mine/").status_code == 422
    assert Entry.objects.get().origin == Origin.IMPORTED


def test_anothers_entry_is_not_there(owner: Resident, housemate: Resident) -> None:
    entry = write_with_origin(owner, Origin.IMPORTED)

    for act in ("mine", "not-mine"):
        assert housemate.post(f"/entries/{entry.id}/{act}/").status_code == 404
    assert load_origins(owner) == [Origin.IMPORTED]


def test_an_origin_that_was_changed_in_the_database_opens_no_text(owner: Resident) -> None:
    entry = write_with_origin(owner, Origin.IMPORTED)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET origin = 'own'")

    page = owner.get(f"/d/{DAY}/").content.decode()

    assert "Buy eggs." not in page
    assert owner.post(f"/entries/{entry.id}/mine/").status_code in (302, 422)
    assert "Buy eggs." not in owner.get(f"/d/{DAY}/").content.decode()


# --- A whole import --------------------------------------------------------------------------------------


def test_an_import_becomes_ones_own_with_the_password_and_back(db: None) -> None:
    owner = register_resident("Olive", signed_in=True)
    import_texts(owner, "One.", "Two.", "Three.")
    other = import_texts(owner, "Other.", source="notes.jsonl")[0]
    with owner.unlocked():
        (latest, run) = list_imports(owner.id)
    assert (latest.source, run.source, len(run.entry_ids), run.own) == ("notes.jsonl", "Day One", 3, 0)
    single = Entry.objects.filter(owner_id=owner.id).order_by("id")[0]
    owner.post(f"/entries/{single.id}/mine/")
    path = f"/imports/{run.id}/"

    page = read(owner.get(path))
    assert page.texts(".prose") == ["One.", "Two.", "Three."]
    review = page.one('input[name="review"]').attributes["value"]
    assert owner.post(path, current="not the password", review=review).status_code == 422
    assert load_origins(owner).count("imported") == 3
    assert owner.post(path, current=PASSWORD, review=review).status_code == 302

    assert load_origins(owner) == [Origin.OWN] * 3 + [Origin.IMPORTED]
    listed = read(owner.get("/imports/"))
    assert "3 entries, all yours" in listed.one("#main").text
    assert listed.has(f'form[action="{path}undo/"]')
    # What was said of one entry alone stays.
    assert owner.post(f"{path}undo/").status_code == 302
    assert load_origins(owner) == [Origin.OWN, Origin.IMPORTED, Origin.IMPORTED, Origin.IMPORTED]
    assert not read(owner.get("/imports/")).has(f'form[action="{path}undo/"]')
    assert other.origin == Origin.IMPORTED


def test_an_import_is_claimed_past_a_damaged_entry_and_in_batches(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_BATCH_SIZE", 2)
    entries = import_texts(owner, *(f"Text {number}." for number in range(5)))
    owner.post(f"/entries/{entries[4].id}/delete/")
    flip_a_bit(entries[1])

    with owner.unlocked():
        (run,) = list_imports(owner.id)
        assert claim_run(owner, run) == 4
        assert claim_run(owner, run) == 0
        (run,) = list_imports(owner.id)
        assert (len(run.entry_ids), run.own, run.claimed) == (5, 4, 4)
        assert services.unclaim_import(owner_id=owner.id, import_id=run.id) == 4


def test_the_undo_of_an_import_ends_after_thirty_days(owner: Resident) -> None:
    (entry,) = import_texts(owner, "Fog.")
    with owner.unlocked():
        (run,) = list_imports(owner.id)
        claim_run(owner, run)
    settle_clock()
    age_claim(owner, entry, days=31)

    assert "Undo" not in read(owner.get("/imports/")).one("#main").text
    with owner.unlocked():
        assert services.unclaim_import(owner_id=owner.id, import_id=run.id) == 0


def test_what_was_imported_before_imports_had_names_is_one_group(owner: Resident) -> None:
    for text in ("Old.", "Older."):
        with owner.unlocked():
            Entry.objects.create(
                owner_id=owner.id, day=DAY, text=text, origin=Origin.IMPORTED, source=b"line"
            )
    import_texts(owner, "New.")
    write_with_origin(owner, Origin.PROGRAM, source="Kitchen tablet")
    owner.write("Mine.")

    with owner.unlocked():
        new, old = list_imports(owner.id)
        assert (len(new.entry_ids), old.id, len(old.entry_ids)) == (1, EARLIER, 2)
        assert claim_run(owner, old) == 2
        _, old = list_imports(owner.id)
    assert (len(old.entry_ids), old.own) == (2, 2)
    assert "Imported earlier" in read(owner.get("/imports/")).one("#main").text


@pytest.mark.parametrize("import_id", [EARLIER, new_id()])
def test_an_import_that_is_not_there_or_anothers_is_not_found(
    owner: Resident, housemate: Resident, import_id: Any
) -> None:
    import_texts(housemate, "Fog.")
    with housemate.unlocked():
        (run,) = list_imports(housemate.id)

    for wanted in (import_id, run.id):
        assert owner.get(f"/imports/{wanted}/").status_code == 404
        assert owner.post(f"/imports/{wanted}/", current=PASSWORD).status_code == 404
        assert owner.post(f"/imports/{wanted}/undo/").status_code == 404
    assert load_origins(housemate) == [Origin.IMPORTED]


def test_without_imports_the_page_says_what_to_do(owner: Resident) -> None:
    assert "Nothing was imported" in read(owner.get("/imports/")).one("#main").text


# --- What was seen, and what goes on in the background ---------------------------------------------------


def get_run(who: Resident) -> ImportRun:
    with who.unlocked():
        (run,) = list_imports(who.id)
    return run


def note_claim(who: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say of a person's only import that it is theirs, as one that is too large for a request."""
    monkeypatch.setattr(services, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(services, "_BATCH_SIZE", 2)
    run = get_run(who)
    with who.unlocked():
        assert claim_run(who, run) is None


def go_on(who: Resident, *, batches: int = 1000) -> int:
    calls = iter(range(batches))
    with who.unlocked():
        return services.continue_claims(who.id, is_stopped=lambda: next(calls, None) is None)


def edit(who: Resident, entry: Entry, text: str) -> None:
    with who.unlocked():
        edit_entry(owner_id=who.id, entry_id=entry.id, text=text, revision=entry.revision)


CHANGES: dict[str, Any] = {
    "an edit": lambda who, entries: edit(who, entries[1], "Another text."),
    "an entry claimed alone": lambda who, entries: who.post(f"/entries/{entries[1].id}/mine/"),
    "an entry that is gone": lambda who, entries: entries[1].delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_import_that_changed_since_it_was_shown_is_not_claimed(db: None, change: str) -> None:
    owner = register_resident("Olive", signed_in=True)
    owner.keyring = owner.open_keyring()
    entries = import_texts(owner, "One.", "Two.", "Three.")
    path = f"/imports/{get_run(owner).id}/"
    review = read(owner.get(path)).one('input[name="review"]').attributes["value"]
    CHANGES[change](owner, entries)
    before = load_origins(owner)

    for seen in (review, "", "ö", "0" * 64):
        answer = owner.post(path, current=PASSWORD, review=seen)
        assert answer.status_code == 409
        assert "This import changed since this page was shown." in read(answer).one("#main").text
    assert load_origins(owner) == before

    # What the page shows now can be claimed.
    review = read(answer).one('input[name="review"]').attributes["value"]
    assert owner.post(path, current=PASSWORD, review=review).status_code == 302
    assert set(load_origins(owner)) == {Origin.OWN}


def test_a_large_import_is_claimed_in_the_background(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = register_resident("Olive", signed_in=True)
    owner.keyring = owner.open_keyring()
    import_texts(owner, *(f"Text {number}." for number in range(7)))
    monkeypatch.setattr(services, "MOST_AT_ONCE", 6)
    monkeypatch.setattr(services, "_BATCH_SIZE", 2)
    path = f"/imports/{get_run(owner).id}/"
    review = read(owner.get(path)).one('input[name="review"]').attributes["value"]

    assert owner.post(path, current=PASSWORD, review=review).status_code == 302
    claim_threads.stop_claim_threads(owner.id, timeout=20)
    claim_threads.start_claim_thread(owner.keyring)
    for thread in list(claim_threads._running.values()):
        thread.join(20)

    assert load_origins(owner) == [Origin.OWN] * 7
    assert not ImportClaim.objects.exists()


def test_it_goes_on_after_the_next_unlock_and_the_pages_say_how_far_it_is(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_texts(owner, *(f"Text {number}." for number in range(5)))
    note_claim(owner, monkeypatch)
    path = f"/imports/{get_run(owner).id}/"

    assert go_on(owner, batches=1) == 2

    page = read(owner.get(path))
    assert "2 of its 5 entries are marked so far" in page.one("#main").text.replace("\n", " ")
    assert not page.has('input[name="current"]')
    assert "The rest is being marked" in read(owner.get("/imports/")).one("#main").text
    assert go_on(owner) == 3
    assert load_origins(owner) == [Origin.OWN] * 5
    assert not ImportClaim.objects.exists()
    assert "being marked" not in read(owner.get("/imports/")).one("#main").text


def test_what_was_changed_meanwhile_ends_it_and_stays_imported(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = import_texts(owner, *(f"Text {number}." for number in range(5)))
    note_claim(owner, monkeypatch)
    assert go_on(owner, batches=1) == 2
    edit(owner, entries[4], "Another text.")

    assert go_on(owner) == 0

    assert load_origins(owner) == [Origin.OWN] * 2 + [Origin.IMPORTED] * 3
    assert not ImportClaim.objects.exists()


def test_an_undo_ends_what_is_still_going_on(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    import_texts(owner, *(f"Text {number}." for number in range(5)))
    note_claim(owner, monkeypatch)
    go_on(owner, batches=1)

    owner.post(f"/imports/{get_run(owner).id}/undo/")

    assert load_origins(owner) == [Origin.IMPORTED] * 5
    assert go_on(owner) == 0
    assert load_origins(owner) == [Origin.IMPORTED] * 5


def test_nobody_but_its_owner_can_note_a_claim(
    owner: Resident, housemate: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_texts(owner, "One.")
    import_texts(housemate, "Theirs.")
    note_claim(owner, monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_importclaim SET owner_id = %s", [housemate.id.hex])

    assert go_on(housemate) == 0
    assert go_on(owner) == 0

    assert load_origins(owner) == load_origins(housemate) == [Origin.IMPORTED]
    assert not ImportClaim.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_a_kill_at_any_statement_loses_nothing_and_the_next_unlock_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at, deaths = 1, 0
    while True:
        owner = new_resident(f"Olive {at}")
        import_texts(owner, *(f"Text {number}." for number in range(5)))
        note_claim(owner, monkeypatch)

        def claim(owner: Resident = owner, at: int = at) -> None:
            die_at_statement(at)
            go_on(owner)

        code = run_forked(claim)
        assert code in (0, KILLED)
        assert load_origins(owner).count(Origin.OWN) in (0, 2, 4, 5)
        send_unlocked(owner)
        for thread in list(claim_threads._running.values()):
            thread.join(20)
        assert load_origins(owner) == [Origin.OWN] * 5
        assert not ImportClaim.objects.exists()
        if code == 0:
            break
        at, deaths = at + 5, deaths + 1
    assert deaths > 3
