"""Tests of the list of all traces: counts, sorting, and a filter that is in no URL."""

from datetime import date
from typing import Any

from django.test import Client

from diary.models import Entry
from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_traces
from traces.editing import services as editing_services


def list_names(answer: Any) -> list[str]:
    """Return the names on a page, in order."""
    return read(answer).texts(".trace-row-name")


def write_traced_diary(owner: Resident) -> dict[str, Entry]:
    """Create three traces: garden early and often, water once and late, Ärger in between."""
    entries = {
        day: owner.write(day, day=date.fromisoformat(day))
        for day in ("2020-01-05", "2021-03-01", "2024-02-29")
    }
    add_traces(owner, entries["2020-01-05"], "garden")
    add_traces(owner, entries["2021-03-01"], "garden", "Ärger")
    add_traces(owner, entries["2024-02-29"], "water")
    return entries


def test_traces_are_sorted_by_count_latest_first_seen_and_name(owner: Resident) -> None:
    write_traced_diary(owner)

    assert list_names(owner.get("/traces/")) == ["garden", "water", "Ärger"]
    assert list_names(owner.get("/traces/?sort=recent")) == ["water", "garden", "Ärger"]
    assert list_names(owner.get("/traces/?sort=first")) == ["garden", "Ärger", "water"]
    assert list_names(owner.get("/traces/?sort=name")) == ["garden", "water", "Ärger"]
    assert list_names(owner.get("/traces/?sort=nonsense")) == ["garden", "water", "Ärger"]


def test_a_row_says_how_often_and_when(owner: Resident) -> None:
    write_traced_diary(owner)

    page = owner.get("/traces/").content.decode()
    by_first = owner.get("/traces/?sort=first").content.decode()

    assert ">2<" in page
    assert "last 1 March 2021" in page
    assert "first 5 January 2020" in by_first


def test_the_filter_finds_a_name_however_it_is_written(owner: Resident) -> None:
    write_traced_diary(owner)

    by_script = owner.client.post(
        "/traces/",
        {"owner": str(owner.id), "typed": "ÄRG", "sort": "name"},
        headers={"HX-Request": "true", "HX-Target": "trace-rows"},
    )

    assert list_names(by_script) == ["Ärger"]
    assert "<html" not in by_script.content.decode()
    assert "1 of 3 traces" in by_script.content.decode()
    without = owner.post("/traces/", typed="gar")
    assert list_names(without) == ["garden"]
    assert 'value="gar"' in without.content.decode()


def test_a_filter_that_finds_nothing_says_so(owner: Resident) -> None:
    write_traced_diary(owner)

    page = owner.post("/traces/", typed="xyz").content.decode()

    assert "No trace matches" in page


def test_an_empty_page_says_in_one_sentence_what_to_do(owner: Resident) -> None:
    page = owner.get("/traces/").content.decode()

    assert "No traces yet" in page
    assert '<form class="trace-filter"' not in page


def test_what_is_typed_is_never_in_an_address_or_a_title(owner: Resident) -> None:
    write_traced_diary(owner)

    page = read(owner.post("/traces/", typed="garden"))

    assert not any("garden" in address for address in page.links())
    assert page.one("title").text == "Traces · Llamora"
    fields = page.all('input:not([type="hidden"])')
    assert [field.get("autocomplete") for field in fields] == ["off"] * len(fields)


def test_deleted_entries_and_traces_are_not_counted(owner: Resident) -> None:
    entries = write_traced_diary(owner)
    owner.post(f"/entries/{entries['2021-03-01'].id}/delete/")
    with owner.unlocked():
        water = add_traces(owner, entries["2020-01-05"], "water")[0]
        editing_services.delete_trace(owner_id=owner.id, trace_id=water.id)

    page = owner.get("/traces/")

    assert list_names(page) == ["garden"]
    assert ">1<" in page.content.decode()


def test_a_housemate_sees_none_of_it(owner: Resident, housemate: Resident, stranger: Client) -> None:
    write_traced_diary(owner)

    assert list_names(housemate.get("/traces/")) == []
    assert stranger.get("/traces/").status_code == 302
    owner.lock()
    assert owner.get("/traces/").status_code == 302
