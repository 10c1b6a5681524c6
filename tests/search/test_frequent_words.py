"""Tests of words that occur on many days, which are not suggested as traces."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from diary import hooks
from search.errors import IndexBusy
from search.index.registry import indexes
from search.index.words import WordsIndex
from tests.people import Resident
from tests.search.indexing import make_document, open_index
from tests.traces.tagging import add_traces, list_suggested

DAYS = 40
SHARE = 0.1  # of 40 days, four


def build_index(texts: Sequence[str]) -> WordsIndex:
    """Return an index of texts, each of another day."""
    index = WordsIndex()
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(len(texts))]
    index.upsert([make_document(text, day=day) for text, day in zip(texts, days, strict=True)])
    return index


def list_texts(**days: int) -> list[str]:
    """Return a text for each of forty days, with each of these words in the first so many."""
    return [" ".join(["Rain.", *(word for word in days if number < days[word])]) for number in range(DAYS)]


def write_days(who: Resident, text: str, *, days: int) -> None:
    """Write a text on each of the days before today."""
    for number in range(days):
        who.write(text, day=who.today - timedelta(days=number + 1))


# --- In the index ----------------------------------------------------------------------------------------


def test_words_of_more_than_a_tenth_of_the_days_are_usual() -> None:
    index = build_index(list_texts(anna=4, bruno=5, çelik=6))

    frequent = index.find_frequent_words(
        ["Anna", "Bruno", "Çelik", "Dora", "…"], share=SHARE, least_days=DAYS
    )

    assert frequent == {"Bruno", "Çelik"}


def test_many_texts_of_one_day_count_once() -> None:
    index = build_index(list_texts())
    index.upsert([make_document("Anna", day=date(2026, 1, 3)) for _ in range(9)])

    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=DAYS) == set()


def test_few_days_tell_nothing_until_there_are_more() -> None:
    index = build_index(["Anna"] * 29)
    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=30) is None

    index.upsert([make_document("Anna", day=date(2026, 1, 29))])
    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=30) is None

    last = make_document("Anna", day=date(2026, 6, 1))
    index.upsert([last])
    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=30) == {"Anna"}

    index.upsert([replace(last, day=date(2026, 1, 1))])
    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=30) is None

    index.upsert([last])
    index.remove([last.id])
    assert index.find_frequent_words(["Anna"], share=SHARE, least_days=30) is None


def test_no_page_waits_for_an_index_in_use() -> None:
    index = build_index(list_texts())

    with index._use(), pytest.raises(IndexBusy):
        index.find_frequent_words(["Anna"], share=SHARE, least_days=30)


# --- On the page -----------------------------------------------------------------------------------------


def test_names_of_few_days_take_the_place_of_those_of_many(owner: Resident) -> None:
    write_days(owner, "To Whitehall, then to Tom and Penn.", days=34)
    owner.write("Went to Whitehall with Tom, to Penn, to Delft, by Anna and Bruno and Cleo and Dora.")
    open_index(owner)

    assert list_suggested(owner) == ["Delft", "Anna", "Bruno", "Cleo"]


def test_a_name_with_one_rare_word_is_offered(owner: Resident) -> None:
    write_days(owner, "To Westminster Hall with Edward.", days=34)
    owner.write("Met Mr. Edward Montagu at Westminster Hall.")
    open_index(owner)

    assert list_suggested(owner) == ["Mr. Edward Montagu"]


def test_a_trace_of_every_day_is_still_offered(owner: Resident) -> None:
    write_days(owner, "To Whitehall.", days=34)
    add_traces(owner, owner.write("a", day=owner.today - timedelta(days=1)), "Whitehall")
    owner.write("Went to Whitehall by Delft.")
    open_index(owner)

    assert list_suggested(owner) == ["Whitehall", "Delft"]


def test_a_new_diary_is_offered_the_names_of_every_day(owner: Resident) -> None:
    write_days(owner, "To Whitehall.", days=12)
    owner.write("Went to Whitehall.")
    open_index(owner)

    assert list_suggested(owner) == ["Whitehall"]


def test_while_the_index_is_not_open_every_name_is_offered_and_afterwards_the_rare_ones(
    owner: Resident,
) -> None:
    write_days(owner, "To Whitehall.", days=34)
    owner.write("Went to Whitehall by Delft.")
    indexes.close_all()

    assert list_suggested(owner) == ["Whitehall", "Delft"]
    assert indexes.get(owner.keyring.key_id) is None

    open_index(owner)
    assert list_suggested(owner) == ["Delft"]


def test_the_words_of_a_text_are_looked_up_once(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    write_days(owner, "To Whitehall.", days=34)
    owner.write("Went to Whitehall by Delft.")
    open_index(owner)
    list_suggested(owner)
    asked: list[str] = []
    monkeypatch.setattr(hooks, "_frequent_word_finders", [lambda words, share: asked.extend(words)])

    assert list_suggested(owner) == ["Delft"]
    assert asked == []


def test_the_diary_of_a_housemate_does_not_tell(owner: Resident, housemate: Resident) -> None:
    write_days(housemate, "To Whitehall.", days=34)
    owner.write("Went to Whitehall.")
    open_index(housemate)
    open_index(owner)

    assert list_suggested(owner) == ["Whitehall"]
