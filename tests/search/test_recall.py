"""Tests of what bears on an entry: texts near in meaning, or with rare words or names in common."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from diary.models import Entry
from search.embedder.holder import embedders
from search.index.person_index import PersonIndex
from search.index.types import Document
from search.index.vector_store import embed_documents
from search.related_entries import MAX_RELATED, find_near_entries
from tests.people import Resident
from tests.search.indexing import BagOfWords, make_document, open_index

TODAY = date(2026, 3, 1)
# What every day of this diary says, in words that no two days begin with alike.
ROUTINE = (
    *("Up early and to the office all morning", "To church in the morning with my wife", "Lay long in bed"),
    *("Busy till noon at the accounts", "By water to town on business", "At home all day with the workmen"),
)
ENDINGS = (
    "dined at home, and so to bed.",
    "home late, supper, and to bed.",
    "walked in the garden till night.",
)


def write_days(many: int) -> list[Document]:
    """Return the texts of days before today that are alike in their manner only."""
    texts = [f"{ROUTINE[n % 6]}, {ENDINGS[n % 3]} Entry of day{n} with thing{n} done." for n in range(many)]
    return [make_document(text, day=TODAY - timedelta(days=n + 1)) for n, text in enumerate(texts)]


def fill(index: PersonIndex, documents: Iterable[Document], *, embedded: set[UUID] | None = None) -> None:
    documents = list(documents)
    assert index.words is not None
    assert index.vectors is not None
    index.words.upsert(documents)
    some = [one for one in documents if embedded is None or one.id in embedded]
    for first in range(0, len(some), 32):
        index.vectors.upsert(embed_documents(some[first : first + 32], embedders.get()))


def find(index: PersonIndex, entry: Document) -> list[UUID]:
    near = find_near_entries(index, Entry(id=entry.id, day=entry.day, text=entry.text))
    return [one.id for one in near]


@pytest.fixture
def index(owner: Resident, embedder: BagOfWords) -> PersonIndex:
    """An index whose embedder calls texts near that share any words."""
    return open_index(owner)


def test_days_that_are_alike_in_their_manner_only_do_not_bear_on_each_other(index: PersonIndex) -> None:
    days = write_days(300)
    fill(index, days)

    assert [number for number, day in enumerate(days[:30]) if find(index, day)] == []


def test_a_name_in_the_middle_of_the_manner_is_found(index: PersonIndex) -> None:
    earlier = make_document("To church with my wife, and met Benson of Leyden there.", day=date(2024, 1, 1))
    entry = make_document("Lay long, then to church, where Benson of Leyden was.", day=TODAY)
    fill(index, [*write_days(300), earlier, entry])

    assert find(index, entry) == [earlier.id]


def test_a_frequent_name_says_nothing(index: PersonIndex) -> None:
    days = write_days(300)
    often = [make_document("Walked with Ada Jones to the river.", day=day.day) for day in days[::10]]
    entry = make_document("Walked with Ada Jones to the river.", day=TODAY)
    fill(index, [*days, *often, entry])

    assert find(index, entry) == []


def test_without_a_rare_word_nothing_is_recalled(index: PersonIndex) -> None:
    entry = make_document("It was as it is, and so it will be again. 25th.", day=TODAY)
    again = make_document(entry.text, day=date(2025, 1, 1))
    fill(index, [again, entry, *write_days(20)])

    assert find(index, entry) == []


@pytest.mark.parametrize("has_vectors", [True, False])
def test_the_day_itself_and_later_days_are_never_recalled(index: PersonIndex, *, has_vectors: bool) -> None:
    text = "Benson of Leyden showed us his microscope."
    entry, same_day = (make_document(text, day=TODAY) for _ in range(2))
    later, earlier = (make_document(text, day=TODAY + timedelta(days=days)) for days in (1, -1))
    reply = make_document(text, day=date(2025, 1, 1), kind="reply")
    fill(index, [entry, same_day, later, earlier, reply])
    if not has_vectors:
        assert index.vectors is not None
        index.vectors.remove([entry.id])

    assert find(index, entry) == [earlier.id]


def test_of_equally_related_entries_the_latest_are_recalled(index: PersonIndex) -> None:
    text = "Benson of Leyden showed us his microscope."
    days = [make_document(text, day=TODAY - timedelta(days=1 + 7 * n % 9)) for n in range(9)]
    entry = make_document(text, day=TODAY)
    fill(index, [*days, entry])

    latest = sorted(days, key=lambda one: one.day, reverse=True)[:MAX_RELATED]
    assert find(index, entry) == [one.id for one in latest]


@pytest.mark.parametrize(
    ("earlier", "entry"),
    [
        ("met benson of leyden at the fair", "went to see benson of leyden"),
        ("Wir haben Onkel Bruno im Spital besucht.", "Onkel Bruno ist aus dem Spital zurück."),
        ("Были у Бенсона в музее.", "Опять были у Бенсона в музее."),
        ("زرنا المكتبة مع بنسون", "عدنا إلى المكتبة مع بنسون"),
        ("ביקרנו בספרייה עם בנסון", "שוב בספרייה עם בנסון"),
        ("हम बेनसन के साथ पुस्तकालय गए", "फिर बेनसन के साथ पुस्तकालय में"),
    ],
)
@pytest.mark.parametrize("many", [3, 300])
def test_it_is_found_in_other_languages_and_in_small_letters(
    index: PersonIndex, earlier: str, entry: str, many: int
) -> None:
    before, now = make_document(earlier, day=date(2024, 1, 1)), make_document(entry, day=TODAY)
    fill(index, [*write_days(many), before, now])

    assert find(index, now) == [before.id]


class Characters(BagOfWords):
    """An embedder that compares single characters, for scripts without spaces."""

    def _vector(self, text: str) -> Any:
        return super()._vector(" ".join(text))


def test_it_is_found_in_a_script_without_spaces(owner: Resident, settings: Any) -> None:
    settings.SEARCH_MODEL = Characters.name
    embedders.set_embedder(Characters())
    index = open_index(owner)
    others = [
        make_document(text, day=date(2023, 1, n + 1)) for n, text in enumerate(["去商店买东西", "今天下雨了"])
    ]
    before = make_document("和李明去天文馆看星星", day=date(2024, 1, 1))
    now = make_document("李明又来了，我们再去天文馆", day=TODAY)
    fill(index, [*others, before, now])

    assert find(index, now) == [before.id]


def test_a_long_entry_is_looked_up_by_all_its_parts(index: PersonIndex) -> None:
    filler = "Nothing happened at that hour, nor at any other hour of the day. " * 60
    earlier = make_document("Benson of Leyden showed us his microscope.", day=date(2024, 1, 1))
    entry = make_document(f"{filler}\n\n{earlier.text * 9}\n\n{filler}", day=TODAY)
    fill(index, [*write_days(250), earlier, entry])

    assert find(index, entry) == [earlier.id]


# --- a real diary, read by people ------------------------------------------------------------------------

# Days and earlier days with passages that were read: those that bear on the day, and those that do not.
BEARING = {
    "1662-07-21": ["1662-06-14", "1662-07-13"],
    "1662-01-06": ["1660-02-08"],
    "1663-02-12": ["1663-02-05", "1663-01-22", "1663-02-06"],
    "1662-12-29": ["1662-11-09"],
    "1660-04-29": ["1660-04-28"],
    "1661-01-27": ["1661-01-26"],
    "1661-01-24": ["1661-01-21"],
    "1660-05-05": ["1660-04-20", "1660-05-04", "1660-04-27"],
    "1660-11-25": ["1660-11-22"],
    "1663-01-23": ["1660-02-05"],
}
OTHER = {
    "1663-06-12": ["1663-05-05"],
    "1663-12-31": ["1662-11-09"],
    "1662-11-23": ["1661-03-28"],
    "1660-11-25": ["1660-02-19", "1660-02-14", "1660-01-14"],
    "1664-04-03": ["1663-03-28"],
}
SILENT = (
    *("1660-10-09", "1662-04-14", "1661-12-24", "1663-06-18", "1664-06-12", "1662-02-06", "1660-10-30"),
    *("1663-05-22", "1663-03-14", "1662-05-04"),
)


def load_corpus(shared: Path) -> dict[str, Document]:
    lines = (shared / "corpus" / "pepys_1660_1664.jsonl").read_text(encoding="utf-8").splitlines()
    days = [json.loads(line) for line in lines]
    return {
        one["date"]: make_document(one["text"], day=date.fromisoformat(one["date"]), id_=UUID(int=number))
        for number, one in enumerate(days)
    }


def recall_days(index: PersonIndex, corpus: dict[str, Document], days: Iterable[str]) -> dict[str, list[str]]:
    names = {document.id: day for day, document in corpus.items()}
    return {day: [names[id_] for id_ in find(index, corpus[day])] for day in days}


def test_days_of_a_real_diary_recall_what_bears_on_them(owner: Resident, settings: Any, shared: Path) -> None:
    settings.SEARCH_MODEL = ""
    index, corpus = open_index(owner), load_corpus(shared)
    wanted = {"1660-04-29": "1660-04-28", "1661-01-24": "1661-01-21", "1662-07-21": "1662-07-13"}
    others = [day for day in corpus if len(corpus[day].text) < 450][::40]
    embedded = [*wanted, *wanted.values(), *others]
    some = {day: corpus[day] for day in (*list(corpus)[::6], *embedded)}
    fill(index, some.values(), embedded={corpus[day].id for day in embedded})

    recalled = recall_days(index, corpus, wanted)
    assert {day: found[:1] for day, found in recalled.items()} == {day: [wanted[day]] for day in wanted}
    assert not any(recall_days(index, corpus, others).values())


@pytest.mark.slow
def test_two_of_three_recalled_passages_bear_on_the_entry(
    owner: Resident, settings: Any, shared: Path
) -> None:
    settings.SEARCH_MODEL = ""
    index, corpus = open_index(owner), load_corpus(shared)
    read = [(day, earlier) for days in (BEARING, OTHER) for day in days for earlier in days[day]]
    some = [*SILENT, *(day for pair in read for day in pair), *list(corpus)[::12]]
    fill(index, corpus.values(), embedded={corpus[day].id for day in some})

    recalled = recall_days(index, corpus, {*BEARING, *OTHER})

    bearing = sum(earlier in recalled[day] for day in BEARING for earlier in BEARING[day])
    other = sum(earlier in recalled[day] for day in OTHER for earlier in OTHER[day])
    many = sum(map(len, BEARING.values()))
    silent = sum(not found for found in recall_days(index, corpus, SILENT).values())
    print(f"{bearing} of {many} bear, {other} do not; {silent} of {len(SILENT)} days are silent")
    assert bearing >= 0.8 * many
    assert bearing >= 2 * other
    assert silent >= 0.8 * len(SILENT)
