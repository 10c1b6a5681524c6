"""Tests of the page of results: folded days, each text once, further pages, filters to click."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from diary.models import Entry, Reply
from llamora.inference.job import JobState
from search.query.parser import MAX_TYPED, add_filter, parse
from tests.page import HtmlNode, read
from tests.people import Resident
from tests.search.indexing import open_index, wait_until_idle

DAY = date(2025, 5, 4)


def reply_to(owner: Resident, entry: Entry, text: str) -> Reply:
    with owner.unlocked():
        reply: Reply = Reply.objects.create(owner_id=owner.id, entry=entry, state=JobState.DONE, text=text)
    return reply


def list_days(answer: Any) -> list[HtmlNode]:
    """Return the elements of the days of a page."""
    return [HtmlNode(node) for node in read(answer).node.css(".hit") if not is_folded(node)]


def is_folded(node: Any) -> bool:
    while (node := node.parent) is not None:
        if node.tag == "details":
            return True
    return False


def get_place(link: HtmlNode) -> str:
    """Return where a link leads to, without the token of the query."""
    parts = urlsplit(link.get("href"))
    return f"{parts.path}#{parts.fragment}" if parts.fragment else parts.path


def test_replies_and_other_entries_are_folded_under_the_own_words_of_the_day(owner: Resident) -> None:
    entry = owner.write("The heron stood in the weir.", day=DAY)
    other = owner.write("Another heron.", day=DAY)
    replies = [reply_to(owner, one, f"A heron, number {one.id.hex}?") for one in (entry, other)]
    owner.write("No bird.", day=DAY)
    open_index(owner)

    answer = owner.post("/search/", q="heron")
    (day,) = list_days(answer)

    folded = day.one("details")
    assert "open" not in folded.attributes
    assert folded.one("summary").text == "3 more on this day"
    assert folded.texts(".hit-kind") == ["Reply", "Entry", "Reply"]
    by_entry = dict(zip((entry.id, other.id), (reply.id for reply in replies), strict=True))
    places = [get_place(link).partition("#")[2] for link in day.all("a")]
    pairs = [[f"entry-{own}", f"reply-{reply}"] for own, reply in by_entry.items()]
    assert places in ([*pairs[0], *pairs[1]], [*pairs[1], *pairs[0]])
    assert read(answer).one(".search-count").text == "4 matches"


def test_the_fold_is_open_if_only_a_reply_has_what_was_asked(owner: Resident) -> None:
    entry = owner.write("The weir, at dusk.", day=DAY)
    reply_to(owner, entry, "Was it the heron by the weir?")
    open_index(owner)

    (day,) = list_days(owner.post("/search/", q="heron by the weir"))

    assert get_place(day.first("a")) == f"/d/{DAY}/#entry-{entry.id}"
    assert "open" in day.one("details").attributes


def test_a_text_of_four_days_is_shown_once_with_links_to_the_others(owner: Resident) -> None:
    entries = [owner.write("Rain all day.", day=DAY + timedelta(number)) for number in range(4)]
    open_index(owner)

    answer = owner.post("/search/", q="rain")
    (day,) = list_days(answer)

    assert day.one("summary").text == "and on 3 other days"
    assert [get_place(link) for link in day.all("a")] == [
        f"/d/{entry.day}/#entry-{entry.id}" for entry in reversed(entries)
    ]
    assert day.texts(".hit-days a") == ["6 May 2025", "5 May 2025", "4 May 2025"]
    assert "rain" not in " ".join(read(answer).links()).lower()


def test_what_went_without_a_signal_is_in_no_fold_and_on_no_other_day(owner: Resident) -> None:
    texts = {"Rain all day.": DAY, "Rain again.": DAY, "Rain at night.": DAY + timedelta(1)}
    first, second, _ = (owner.write(text, day=day) for text, day in texts.items())
    again = owner.write("Rain at night.", day=DAY + timedelta(2))
    open_index(owner)
    for entry in (first, again):
        owner.update_columns(entry, deleted_at=entry.created_at)

    days = list_days(owner.post("/search/", q="rain"))

    shown = "".join(day.html for day in days)
    assert str(second.id) in shown
    assert str(first.id) not in shown
    assert str(again.id) not in shown
    wait_until_idle(owner)


@pytest.mark.parametrize("ranked_first", [30, 200])
def test_more_results_go_on_where_the_page_ended(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, ranked_first: int
) -> None:
    monkeypatch.setattr("search.engine._MAX_RANKED", ranked_first)
    entries = {
        str(owner.write(f"A line about rooks, number {number}.", day=DAY + timedelta(number // 2)).id)
        for number in range(90)
    }
    open_index(owner)
    seen: list[str] = []
    sizes = []
    after = ""
    for _ in range(5):
        answer = owner.post("/search/", script=True, q="rooks", after=after)
        days = list_days(answer)
        sizes.append(len(days))
        seen += [get_place(link).partition("#entry-")[2] for day in days for link in day.all("a")]
        more = read(answer).values('[name="after"]', "value")
        if not more:
            break
        after = more[0]

    assert sizes == [20, 20, 5]
    assert len(seen) == len(set(seen))
    assert set(seen) <= entries
    assert len(seen) == 90 or ranked_first == 30


def test_of_a_crowded_day_some_are_shown_and_the_day_itself_is_linked(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engine._MAX_SNIPPETS", 5)
    for number in range(9):
        owner.write(f"Rooks, number {number}.", day=DAY)
    open_index(owner)

    (day,) = list_days(owner.post("/search/", q="rooks"))

    assert day.one("summary").text == "8 more on this day"
    assert len(day.all("details .hit")) == 4
    assert (day.one(".hit-left").text, day.one(".hit-left a").get("href")) == (
        "Open this day to see 4 more.",
        f"/d/{DAY}/",
    )


def list_filters(answer: Any) -> dict[str, str]:
    """Return the query of each filter to click, by its label."""
    chips = read(answer).all(".chip.suggested")
    return {chip.text: chip.get("value") for chip in chips}


def test_kinds_and_years_of_the_results_are_filters_to_click(owner: Resident) -> None:
    for year in (2023, 2024, 2024, 2025):
        entry = owner.write(f"Heron {year}.", day=date(year, 5, 4))
    reply_to(owner, entry, "Which heron?")
    open_index(owner)

    filters = list_filters(owner.post("/search/", q="heron"))

    assert filters == {
        "My entries": "heron in:entries",
        "Replies": "heron in:replies",
        "2025": "heron on:2025",
        "2024": "heron on:2024",
        "2023": "heron on:2023",
    }
    for typed, count in {"heron in:replies": "1 match", "heron on:2024": "2 matches"}.items():
        assert read(owner.post("/search/", q="x", instead=typed)).one(".search-count").text == count


def test_months_of_one_year_are_filters_in_the_language_of_the_person(owner: Resident) -> None:
    owner.choose(language="de")
    for month in (3, 5):
        owner.write(f"Heron {month}.", day=date(2024, month, 4))
    open_index(owner)

    filters = list_filters(owner.post("/search/", q="heron on:2024"))

    assert filters == {"Mai 2024": "heron on:2024 on:2024-05", "März 2024": "heron on:2024 on:2024-03"}
    answer = owner.post("/search/", q="x", instead=filters["Mai 2024"])
    assert len(list_days(answer)) == 1
    assert list_filters(answer) == {}


def test_where_all_results_are_alike_no_filter_is_offered(owner: Resident) -> None:
    owner.write("One heron.", day=DAY)
    open_index(owner)

    assert list_filters(owner.post("/search/", q="heron")) == {}
    assert list_filters(owner.post("/search/", q="nothing like it")) == {}
    assert list_filters(owner.post("/search/", q="")) == {}


def test_a_query_without_room_for_a_filter_is_offered_none(owner: Resident) -> None:
    for year in (2023, 2024):
        owner.write("heron", day=date(year, 5, 4))
    open_index(owner)
    typed = "heron " * 66

    assert len(typed) <= MAX_TYPED
    assert list_filters(owner.post("/search/", q=typed)) == {}


@pytest.mark.parametrize("typed", ["heron", '"the heron', "“the heron", "heron ", '"the" -"a heron'])
def test_a_filter_is_added_whatever_quote_is_open(typed: str) -> None:
    added = parse(add_filter(typed, "in:entries"))

    assert added.kinds == {"entry"}
    assert (len(added.terms), len(added.without)) == (len(parse(typed).terms), len(parse(typed).without))


@pytest.mark.parametrize(("counted", "said"), [(2, "More than 2 matches"), (3, "2 matches")])
def test_a_count_that_ended_is_said_to_have_ended(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, counted: int, said: str
) -> None:
    monkeypatch.setattr("search.views.MAX_COUNTED", counted)
    for number in range(2):
        owner.write(f"Heron {number}.", day=DAY - timedelta(number))
    open_index(owner)

    answer = owner.post("/search/", q="heron")

    assert " ".join(read(answer).first(".search-count").text.split()) == said
