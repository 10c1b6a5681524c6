"""Tests of the search pages: with and without script, for their owner only, no query in URLs."""

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Unlock
from search import messages
from search.embedder.holder import embedders
from search.index.registry import indexes
from search.models import RecentSearch
from tests.fakes.waiting import PATIENCE
from tests.page import normalize_spaces, read
from tests.people import Resident
from tests.search.indexing import BagOfWords, BlockingEmbedder, open_index, wait_until_idle
from tests.traces.tagging import add_traces


def list_results(answer: Any) -> list[tuple[str, str]]:
    """Return the URL and the snippet of each result, with marks as the only markup."""
    return [
        (hit.get("href"), normalize_spaces(re.sub(r"<(?!/?mark)[^>]+>", " ", hit.inner_html)))
        for hit in read(answer).all("li.hit > a")
    ]


def test_a_search_without_script_answers_with_a_page(owner: Resident) -> None:
    entry = owner.write("The heron stood in the weir.", day=date(2025, 5, 4))
    open_index(owner)

    answer = owner.post("/search/", q="heron", submitted="1")

    ((address, words),) = list_results(answer)
    assert answer.status_code == 200
    assert b"<html" in answer.content
    assert urlsplit(address).path == "/d/2025-05-04/"
    assert urlsplit(address).fragment == f"entry-{entry.id}"
    assert "Sunday 4 May 2025" in words
    assert "The <mark>heron</mark> stood" in words


def test_no_address_on_a_result_page_holds_a_word_that_was_searched_for(owner: Resident) -> None:
    owner.write("The heron stood in the weir.")
    open_index(owner)

    page = owner.post("/search/", q="heron from:2020").content.decode()

    addresses = read(page).links()
    assert addresses
    assert not [address for address in addresses if "heron" in address]
    assert "<title>Search" in page
    assert owner.get("/search/?q=heron").content.decode().count("heron") == 0


def test_by_script_only_the_results_come(owner: Resident) -> None:
    owner.write("The heron stood in the weir.")
    open_index(owner)

    answer = owner.post("/search/", script=True, q="her")

    assert answer.content.strip().startswith(b'<div class="search-results" id="search-results"')
    assert len(list_results(answer)) == 1
    assert not RecentSearch.objects.exists()


def test_a_hit_says_why_it_is_one(owner: Resident, embedder: BagOfWords) -> None:
    owner.write("herons by the weir at dusk", day=date(2025, 1, 1))
    owner.write("the weir at dusk", day=date(2025, 1, 2))
    owner.write("something else altogether", day=date(2025, 1, 3))
    open_index(owner)

    answer = owner.post("/search/", q="weir at dusk", script=True)

    assert read(answer).texts(".hit-reason") == ["phrase, related"] * 2


def test_a_housemate_finds_nothing_of_it(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("The heron stood in the weir.")
    open_index(owner)
    open_index(housemate)
    address, _ = list_results(owner.post("/search/", q="heron"))[0]
    token = urlsplit(address).query.removeprefix("found=")

    assert list_results(housemate.post("/search/", q="heron")) == []
    answer = housemate.post("/search/place/", script=True, found=token, id=str(entry.id))
    assert answer.json() == {"marks": []}


@pytest.mark.parametrize("path", ["/search/", "/search/box/"])
def test_nobody_and_the_locked_are_sent_away(owner: Resident, stranger: Client, path: str) -> None:
    assert "/sign-in/" in stranger.get(path)["Location"]
    owner.lock()

    assert "/unlock/" in owner.get(path)["Location"]
    assert owner.post("/search/", script=True, q="heron").status_code == 401
    assert owner.post("/search/place/", script=True, found="x", id="y").status_code == 401


def test_a_search_from_another_persons_page_is_refused(owner: Resident, housemate: Resident) -> None:
    answer = owner.client.post("/search/", {"owner": str(housemate.id), "q": "heron"})

    assert answer.status_code == 409


@pytest.mark.parametrize(
    "typed", ["", " ", '"', "from:x", "\ufffd", "a" * 9999, "<script>", "-", "後悔", "%00", "\0"]
)
def test_anything_typed_is_answered(owner: Resident, typed: str) -> None:
    owner.write("A line.")
    open_index(owner)

    answer = owner.post("/search/", q=typed, submitted="1")

    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_what_was_found_is_told_to_the_page_as_it_is_written_there(owner: Resident) -> None:
    entry = owner.write("We walked. Walking home, she walks.")
    open_index(owner)
    address, _ = list_results(owner.post("/search/", q="walk ", script=True))[0]
    token = urlsplit(address).query.removeprefix("found=")

    answer = owner.post("/search/place/", script=True, found=token, id=str(entry.id))

    assert answer.json() == {"marks": ["walked", "Walking", "walks"]}
    assert "walk" not in token


@pytest.mark.parametrize("sent", [{"found": "nobody", "id": "not-an-id"}, {"found": "", "id": ""}, {}])
def test_a_place_that_is_not_known_marks_nothing(owner: Resident, sent: dict[str, str]) -> None:
    open_index(owner)

    assert owner.post("/search/place/", script=True, **sent).json() == {"marks": []}


def test_filters_are_chips_that_can_be_taken_away(owner: Resident) -> None:
    owner.write("rooks", day=date(2025, 5, 5))
    open_index(owner)

    page = owner.post("/search/", q="rooks from:2025-01 in:entries -crows")

    values = read(page).values('.chip[name="instead"]', "value")
    assert values == ["rooks in:entries -crows", "rooks from:2025-01 -crows", "rooks from:2025-01 in:entries"]
    assert len(list_results(owner.post("/search/", q="x", instead=values[0]))) == 1


def test_a_trace_is_a_chip_that_narrows_and_without_it_more_is_found(owner: Resident) -> None:
    entry, _ = owner.write("Rain all day."), owner.write("Rain at night.")
    add_traces(owner, entry, "red wool")
    open_index(owner)

    page = owner.post("/search/", q='rain trace:"Red Wool"')

    chip = read(page).one('.chip[name="instead"]')
    assert (chip.get("value"), chip.first("span").text) == ("rain", "trace Red Wool")
    assert [urlsplit(address).fragment for address, _ in list_results(page)] == [f"entry-{entry.id}"]
    assert "trace, words" in list_results(page)[0][1]
    assert len(list_results(owner.post("/search/", q="rain", instead=chip.get("value")))) == 2


def test_submitted_searches_are_remembered_sealed_and_can_be_forgotten(owner: Resident) -> None:
    open_index(owner)
    for typed in ("first", "second", "first"):
        owner.post("/search/", q=typed, submitted="1")
    owner.post("/search/", script=True, q="only typed")

    box = owner.get("/search/box/", script=True)
    assert read(box).values('.recent-search[name="instead"]', "value") == ["first", "second"]
    with owner.unlocked():
        assert RecentSearch.objects.count() == 2
    owner.post("/search/recent/", do="clear")
    assert not RecentSearch.objects.exists()


def test_a_damaged_recent_search_stops_neither_the_box_nor_a_search(owner: Resident) -> None:
    open_index(owner)
    for typed in ("first", "second"):
        owner.post("/search/", q=typed, submitted="1")
    damaged = RecentSearch.objects.earliest("searched_at")
    with connection.cursor() as cursor:
        statement = "UPDATE search_recentsearch SET text = CAST(substr(text, 1, 40) AS BLOB) WHERE id = %s"
        cursor.execute(statement, [damaged.id.hex])

    found = owner.post("/search/", q="third", submitted="1")

    assert found.status_code == 200
    box = owner.get("/search/box/", script=True)
    assert read(box).values('.recent-search[name="instead"]', "value") == ["third", "second"]


def test_whoever_wants_none_remembered_has_none(owner: Resident, housemate: Resident) -> None:
    open_index(owner)
    owner.post("/search/", q="first", submitted="1")

    owner.post("/search/recent/", do="off")
    owner.post("/search/", q="second", submitted="1")
    open_index(housemate)
    housemate.post("/search/", q="third", submitted="1")

    assert [row.owner_id for row in RecentSearch.objects.all()] == [housemate.id]
    owner.post("/search/recent/", do="on")
    owner.post("/search/", q="fourth", submitted="1")
    assert RecentSearch.objects.filter(owner_id=owner.id).count() == 1


def test_the_settings_page_forgets_them_too(owner: Resident, housemate: Resident) -> None:
    for who in (owner, housemate):
        open_index(who)
        who.post("/search/", q="first", submitted="1")

    owner.choose(saves_recent_searches=False)
    owner.post("/search/", q="second", submitted="1")

    assert [row.owner_id for row in RecentSearch.objects.all()] == [housemate.id]


def test_the_page_says_how_far_meaning_has_come(owner: Resident, embedder: BagOfWords) -> None:
    held = BlockingEmbedder()
    embedders.set_embedder(held)
    owner.write("One.")
    indexes.for_owner(owner.keyring)
    try:
        assert held.has_begun.wait(PATIENCE)
        part = owner.post("/search/", q="one").content.decode()
    finally:
        held.may_end.set()
    wait_until_idle(owner)

    whole = owner.post("/search/", q="one").content.decode()

    assert messages.EMBEDDING_PROGRESS.format(done=0, total=1) in part
    assert "Related-entry search" not in whole


def test_without_a_model_the_page_says_so_and_finds_words(owner: Resident, settings: Any) -> None:
    settings.SEARCH_MODEL = "none/at-all"
    owner.write("One heron.")
    open_index(owner)

    answer = owner.post("/search/", q="heron")

    assert messages.get_embedding_message("absent") in answer.content.decode()
    assert len(list_results(answer)) == 1


def test_what_went_without_a_signal_is_not_shown(owner: Resident) -> None:
    entry = owner.write("A heron that will go.")
    open_index(owner)
    owner.update_columns(entry, deleted_at=entry.created_at)

    assert list_results(owner.post("/search/", q="heron")) == []
    wait_until_idle(owner)


def test_after_a_restart_the_first_search_opens_the_index(owner: Resident) -> None:
    owner.write("One heron.")  # unlocked, but nobody told this process

    owner.post("/search/", q="heron", script=True)
    wait_until_idle(owner)

    assert len(list_results(owner.post("/search/", q="heron", script=True))) == 1


def test_the_index_can_be_made_anew_from_the_page(owner: Resident) -> None:
    entry = owner.write("One heron.")
    index = open_index(owner)
    assert index.words is not None
    index.words.remove([entry.id])  # as a fault of ours would

    owner.post("/search/anew/")
    wait_until_idle(owner)

    assert len(list_results(owner.post("/search/", q="heron"))) == 1


@pytest.mark.parametrize("first", ["a save", "a search"])
def test_an_index_that_breaks_fails_no_page_and_is_made_anew(owner: Resident, first: str) -> None:
    owner.write("One heron.")
    index = open_index(owner)
    assert index.words is not None
    index.words._db.execute("DROP TABLE docs")

    if first == "a save":
        answer = owner.post(f"/d/{owner.today}/", script=True, text="Another heron.")
    else:
        answer = owner.post("/search/", script=True, q="heron")
        assert "data-index-opening" in answer.content.decode()
    again = open_index(owner)

    assert answer.status_code == 200
    assert again is not index
    assert len(list_results(owner.post("/search/", q="heron"))) == (2 if first == "a save" else 1)


def test_what_meaning_is_found_by_is_made_anew_only_where_that_is_asked(
    owner: Resident, embedder: BagOfWords
) -> None:
    owner.write("One heron.")
    open_index(owner)
    assert 'name="vectors"' in owner.get("/search/").content.decode()

    owner.post("/search/anew/")
    wait_until_idle(owner)
    without = list(embedder.embedded)
    owner.post("/search/anew/", vectors="1")
    wait_until_idle(owner)

    assert without == ["One heron."]
    assert embedder.embedded == ["One heron."] * 2


def test_typing_in_the_box_is_no_more_than_looking(owner: Resident) -> None:
    open_index(owner)
    before = Unlock.objects.get().last_active

    owner.client.post(
        "/search/",
        {"owner": str(owner.id), "q": "heron"},
        headers={"HX-Request": "true", "X-Llamora-Poll": "1"},
    )

    assert Unlock.objects.get().last_active == before
