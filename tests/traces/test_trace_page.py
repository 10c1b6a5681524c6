"""Tests of the page of a trace: counts, years, related traces, and further entries."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from diary.models import Entry, Reply
from llamora.inference.job import JobState
from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_to_entries, add_traces, list_names
from traces.detail.entries import ENTRIES_PER_PAGE
from traces.messages import UNDO_NAME_TAKEN
from traces.models import Change, EntryTrace, Trace

BY_SCRIPT = {"HX-Request": "true"}


def path(*ids: UUID) -> str:
    return f"/traces/{ids[0]}/" + (f"with/{'/'.join(map(str, ids[1:]))}/" if ids[1:] else "")


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def list_related(page: str) -> dict[str, int]:
    found = read(page).all(".related-trace")
    return {one.one("bdi").text: int(one.one(".entry-count").text.split()[0]) for one in found}


def list_shown_entries(page: str) -> list[str]:
    """Return the entries on a trace page, in order."""
    return [entry.first(".prose p").text for entry in read(page).all("article.trace-entry")]


def write_some_years(owner: Resident) -> list[Trace]:
    """Create traces: boat on four entries, water on two of these and a fifth, lonely on the fifth."""
    made = {
        day: owner.write(f"On {day}", day=date.fromisoformat(day))
        for day in ("2019-06-01", "2021-03-01", "2021-03-02", "2024-02-29", "2024-03-01")
    }
    entries = list(made.values())
    boat = add_traces(owner, entries[0], "Boat")[0]
    add_to_entries(owner, boat, entries[1:4])
    water = add_traces(owner, entries[1], "water")[0]
    add_to_entries(owner, water, entries[3:])
    return [boat, water, add_traces(owner, entries[4], "lonely")[0]]


def test_it_is_titled_trace_and_its_name_is_in_no_address(owner: Resident) -> None:
    boat = write_some_years(owner)[0]

    page = text(owner.get(path(boat.id)))

    assert "<title>Trace · Llamora</title>" in page
    assert "<bdi>Boat</bdi></h1>" in page
    assert not any(name in address.casefold() for address in read(page).links() for name in ("boat", "water"))


def test_it_counts_and_dates_all_of_its_entries(owner: Resident) -> None:
    boat = write_some_years(owner)[0]

    page = text(owner.get(path(boat.id)))

    assert "4 entries, the first on" in page
    assert (
        'href="/d/2019-06-01/">1 June 2019</a>, the last on\n<a href="/d/2024-02-29/">29 February 2024'
        in page
    )


def test_it_appears_alongside_with_exact_counts_and_narrows_to_both(owner: Resident) -> None:
    boat, water, lonely = write_some_years(owner)

    assert list_related(text(owner.get(path(boat.id)))) == {"water": 2}
    both = text(owner.get(path(boat.id, water.id)))
    assert "2 entries" in both
    assert list_shown_entries(both) == ["On 2024-02-29", "On 2021-03-01"]
    assert list_related(text(owner.get(path(water.id)))) == {"Boat": 2, "lonely": 1}
    assert f'href="{path(water.id)}"' in both
    none = text(owner.get(path(boat.id, lonely.id)))
    assert "No entry has all of these traces." in none


def test_all_entries_count_not_the_first_dozen(owner: Resident) -> None:
    with owner.unlocked():
        entries = Entry.objects.bulk_create(
            Entry(owner_id=owner.id, day=date(2020, 1, 1) + timedelta(days=n), text=f"{n}")
            for n in range(300)
        )
    often, rare = add_traces(owner, entries[0], "often", "rare")
    add_to_entries(owner, often, entries[1:])
    add_to_entries(owner, rare, entries[250:])

    assert list_related(text(owner.get(path(often.id)))) == {"rare": 51}
    assert list_related(text(owner.get(path(rare.id)))) == {"often": 51}


def test_the_year_is_the_last_one_and_leads_to_those_that_hold_something(owner: Resident) -> None:
    boat = write_some_years(owner)[0]

    last, middle, first = (text(owner.get(f"{path(boat.id)}{year}")) for year in ("", "in/2021/", "in/2019/"))

    assert 'data-date="2024-02-29"' in last
    assert f'href="{path(boat.id)}in/2021/#year" data-earlier' in last
    assert "data-later" not in last
    assert "1 March 2021, 1 entry" in middle
    assert f'href="{path(boat.id)}in/2019/#year" data-earlier' in middle
    assert f'href="{path(boat.id)}in/2024/#year" data-later' in middle
    assert "data-earlier" not in first
    assert owner.get(f"{path(boat.id)}in/2020/").status_code == 404


def test_the_year_has_a_table_for_readers(owner: Resident) -> None:
    boat = write_some_years(owner)[0]

    page = text(owner.get(f"{path(boat.id)}in/2021/"))

    (march,) = [row for row in read(page).all("tr") if row.texts("th") == ["March"]]
    assert march.texts("td")[0] == "2"
    assert march.first("td a").get("href") == "/d/2021-03-01/"
    assert march.first("td a").text == "1"


def test_a_narrowed_page_keeps_its_year(owner: Resident) -> None:
    boat, water, _ = write_some_years(owner)

    page = text(owner.get(f"{path(boat.id, water.id)}in/2021/"))

    assert 'data-date="2021-03-01"' in page
    assert 'data-date="2021-03-02"' not in page
    assert f'href="{path(boat.id, water.id)}in/2024/#year" data-later' in page


def test_the_history_is_newest_first_leaf_by_leaf_and_whole(owner: Resident) -> None:
    entries = [owner.write(f"No {n}", day=date(2020, 1, 1) + timedelta(days=n // 3)) for n in range(20)]
    trace = add_traces(owner, entries[0], "walk")[0]
    add_to_entries(owner, trace, entries[1:])

    page, seen = text(owner.get(path(trace.id))), []
    while True:
        leaf = list_shown_entries(page)
        assert len(leaf) <= ENTRIES_PER_PAGE
        seen += leaf
        more = read(page).values('[hx-get][hx-target^="#after-"]', "hx-get")
        if not more:
            break
        page = text(owner.get(more[0], script=True))
        assert "<html" not in page

    assert len(seen) == 20
    assert set(seen) == {f"No {n}" for n in range(20)}
    assert [int(one.split()[1]) // 3 for one in seen] == sorted((n // 3 for n in range(20)), reverse=True)


def test_without_script_a_link_leads_to_earlier_entries(owner: Resident) -> None:
    entries = [
        owner.write(f"No {n}", day=date(2020, 1, 1) + timedelta(days=n)) for n in range(ENTRIES_PER_PAGE + 1)
    ]
    trace = add_traces(owner, entries[0], "walk")[0]
    add_to_entries(owner, trace, entries[1:])
    link = read(owner.get(path(trace.id))).one('a.button[href$="#trace-entries"]').get("href")

    page = text(owner.get(link.partition("#")[0]))

    assert "<html" in page
    assert list_shown_entries(page) == ["No 0"]
    assert "Back to the latest" in page


def test_an_entry_comes_with_its_replies_and_its_other_traces(owner: Resident) -> None:
    entry = owner.write("The boat.")
    boat, water = add_traces(owner, entry, "boat", "water")
    with owner.unlocked():
        Reply.objects.create(owner_id=owner.id, entry=entry, state=JobState.DONE, text="*Which* boat?")

    page = text(owner.get(path(boat.id)))

    assert "<em>Which</em> boat?" in page
    assert f'href="{path(water.id)}"><bdi>water</bdi>' in read(page).one("#trace-entries").html


@pytest.mark.parametrize("is_narrowed", [False, True])
def test_somebody_elses_and_unknown_traces_are_the_same_404(
    owner: Resident, housemate: Resident, is_narrowed: bool
) -> None:
    mine = add_traces(owner, owner.write("Mine"), "mine")[0]
    theirs = add_traces(housemate, housemate.write("Theirs"), "theirs")[0]

    for other in (theirs.id, uuid4()):
        there = path(mine.id, other) if is_narrowed else path(other)
        assert owner.get(there).status_code == 404
        assert owner.get(f"{there}?after={uuid4()}", script=True).status_code == 404
    assert owner.get(path(mine.id, mine.id)).status_code == 404
    assert owner.get(f"{path(mine.id)}?after={uuid4()}").status_code == 404


# --- changing ----------------------------------------------------------------------------------------------


def get_change_target(answer: Any) -> str:
    """Return the URL after a change."""
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def undo(owner: Resident, there: str) -> None:
    form = read(owner.get(there)).one('form[action^="/traces/changes/"][action$="/undo/"]')
    assert owner.post(form.get("action")).status_code == 302


def test_renaming_shows_the_new_name_and_can_be_taken_back(owner: Resident) -> None:
    entry = owner.write("A")
    trace = add_traces(owner, entry, "boot")[0]

    there = get_change_target(owner.post(f"{path(trace.id)}rename/", name="Boat"))

    assert "Boat" not in there
    assert list_names(owner, entry) == ["Boat"]
    assert "Renamed everywhere." in text(owner.get(there))
    undo(owner, there)
    assert list_names(owner, entry) == ["boot"]
    assert "Renamed everywhere." not in text(owner.get(there))


def test_a_name_that_is_taken_is_refused_with_a_way_to_merge(owner: Resident) -> None:
    entry = owner.write("A")
    boot, boat = add_traces(owner, entry, "boot", "boat")

    answer = owner.post(f"{path(boot.id)}rename/", name="BOAT")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="BOAT"' in page
    assert "Another trace already has that name." in page
    assert f'<input type="hidden" name="into" value="{boat.id}">' in page
    assert list_names(owner, entry) == ["boot", "boat"]


def test_an_empty_name_is_refused(owner: Resident) -> None:
    entry = owner.write("A")
    trace = add_traces(owner, entry, "boot")[0]

    answer = owner.post(f"{path(trace.id)}rename/", name="  ")

    assert answer.status_code == 422
    assert "Type a name" in answer.content.decode()
    assert list_names(owner, entry) == ["boot"]


def test_merging_leads_to_the_other_and_can_be_taken_back(owner: Resident) -> None:
    first, second = owner.write("A"), owner.write("B")
    boot, boat = add_traces(owner, first, "boot")[0], add_traces(owner, second, "boat")[0]

    there = get_change_target(owner.post(f"{path(boot.id)}merge/", into=str(boat.id)))

    assert there.startswith(path(boat.id))
    assert list_names(owner, first) == list_names(owner, second) == ["boat"]
    assert owner.get(path(boot.id)).status_code == 404
    undo(owner, there)
    assert list_names(owner, first) == ["boot"]
    assert list_names(owner, second) == ["boat"]


@pytest.mark.parametrize("into", ["", "nonsense"])
def test_merging_with_nothing_is_refused(owner: Resident, into: str) -> None:
    entry = owner.write("A")
    trace, _ = add_traces(owner, entry, "boot", "water")

    answer = owner.post(f"{path(trace.id)}merge/", into=into)

    assert answer.status_code == 422
    assert "Choose a different trace to merge this one into." in answer.content.decode()
    assert owner.post(f"{path(trace.id)}merge/", into=str(trace.id)).status_code == 422
    assert list_names(owner, entry) == ["boot", "water"]


def test_deleting_everywhere_leads_to_all_traces_and_can_be_taken_back(owner: Resident) -> None:
    entry = owner.write("Stays")
    trace = add_traces(owner, entry, "boot")[0]

    there = get_change_target(owner.post(f"{path(trace.id)}delete/"))

    assert there.startswith("/traces/?")
    assert list_names(owner, entry) == []
    assert owner.list_texts() == ["Stays"]
    assert "Deleted everywhere." in text(owner.get(there))
    undo(owner, there)
    assert list_names(owner, entry) == ["boot"]


def test_it_is_read_for_every_reply_or_no_longer(owner: Resident) -> None:
    trace = add_traces(owner, owner.write("A"), "boot")[0]

    owner.post(f"{path(trace.id)}always/", wanted="on")
    assert Trace.objects.get(id=trace.id).is_read_always
    assert "Stop reading for every reply" in text(owner.get(path(trace.id)))

    owner.post(f"{path(trace.id)}always/", wanted="off")
    assert not Trace.objects.get(id=trace.id).is_read_always


@pytest.mark.parametrize("act", ["rename", "merge", "delete", "always", "summary"])
def test_nobody_changes_what_is_somebody_elses_and_looking_changes_nothing(
    owner: Resident, housemate: Resident, act: str
) -> None:
    trace = add_traces(owner, owner.write("A"), "boot")[0]

    assert housemate.post(f"{path(trace.id)}{act}/", name="x", wanted="on").status_code == 404
    assert owner.get(f"{path(trace.id)}{act}/").status_code == 302

    assert not Change.objects.exists()
    assert EntryTrace.objects.for_owner(owner.id).count() == 1
    assert not Trace.objects.get(id=trace.id).is_read_always


def test_a_change_is_undone_by_its_owner_alone_and_once(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("A")
    trace = add_traces(owner, entry, "boot")[0]
    owner.post(f"{path(trace.id)}delete/")
    way = f"/traces/changes/{Change.objects.get().id}/undo/"

    assert owner.get(way).status_code == 302
    assert housemate.post(way).status_code == 404
    assert list_names(owner, entry) == []
    assert owner.post(way).status_code == 302
    assert owner.post(way).status_code == 404
    assert list_names(owner, entry) == ["boot"]


def test_somebody_elses_change_is_not_offered_back(owner: Resident, housemate: Resident) -> None:
    trace = add_traces(owner, owner.write("A"), "boot")[0]
    there = get_change_target(owner.post(f"{path(trace.id)}delete/"))

    assert "Deleted everywhere." in text(owner.get(there))
    assert "Deleted everywhere." not in text(housemate.get(there))
    assert "Deleted everywhere." not in text(owner.get(f"/traces/?changed={uuid4()}"))
    assert "Deleted everywhere." not in text(owner.get("/traces/?changed=nonsense"))


def test_an_undo_that_finds_its_name_taken_says_so(owner: Resident) -> None:
    entry = owner.write("A")
    trace = add_traces(owner, entry, "boot")[0]
    owner.post(f"{path(trace.id)}delete/")
    change = Change.objects.get()
    add_traces(owner, entry, "BOOT")

    answer = owner.post(f"/traces/changes/{change.id}/undo/")

    assert answer.status_code == 409
    assert UNDO_NAME_TAKEN in answer.content.decode()
    assert "boot" not in read(answer).one("head").html.casefold()
