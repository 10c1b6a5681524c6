"""Tests of the word index, with every script and accent."""

import random
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.errors import IndexClosed, SnapshotRefused
from search.index import fts_queries
from search.index.fts_queries import MAX_COUNTED, MAX_RANKED, match_some_terms
from search.index.types import Document
from search.index.words import WordsIndex
from search.query.folding import fold, fold_with_offsets, split_words
from search.query.parser import parse
from tests.search.indexing import make_document

TEXTS = {
    "mail": "I wrote an e-mail about C++ at 10:30.",
    "chinese": "今日は天気がいいから散歩しましょう。",
    "thai": "ประเทศไทย is warm",
    "hindi": "हिन्दी में लिखा",
    "korean": "학교에서 공부했다",
    "arabic": "كتبت رسالة طويلة",
    "hello": "Hello, world! Café crème, naïve façade.",
    "emoji": "so glad 😀👍🏽 ❤️ 🥰",
    "walk": "He walked home, walking slowly.",
    "stroke": "Straße, Łódź, smørrebrød, œuvre, ЁЖИК.",
    "c": "Vitamin C is not cplusplus.",
    "dont": "We don’t say £60 or #hush @home.",
    "asked": "What? Really?",
    "quoted": "> I walked\n> to the sea\n\nfor **bold** words",
    "garden": "The gardener gardens in his gardening gloves.",
}


@pytest.fixture(scope="module")
def index() -> WordsIndex:
    index = WordsIndex()
    index.upsert([make_document(text, id_=UUID(int=number)) for number, text in enumerate(TEXTS.values())])
    return index


def list_found(index: WordsIndex, typed: str) -> list[str]:
    """Return the names of the texts with all words of a query, best first."""
    hits = index.find(parse(typed), limit=20)
    every = list(TEXTS)
    return [every[id_.int] for id_ in dict.fromkeys([*hits.phrases, *hits.strict])]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("e-mail", "mail"),
        ("E-MAIL", "mail"),
        ("c++", "mail"),
        ("10:30", "mail"),
        ("天気", "chinese"),
        ("散歩し", "chinese"),
        ("ไทย", "thai"),
        ("हिन्दी", "hindi"),
        ("학교", "korean"),
        ("공부", "korean"),
        ("رسالة", "arabic"),
        ("hello, world", "hello"),
        ("cafe", "hello"),
        ("CAFÉ CREME", "hello"),
        ("cafe\u0301", "hello"),
        ("😀", "emoji"),
        ("👍", "emoji"),
        ("👍🏽", "emoji"),
        ("❤", "emoji"),
        ("🥰", "emoji"),
        ("strasse", "stroke"),
        ("lodz", "stroke"),
        ("smorrebrod", "stroke"),
        ("ежик", "stroke"),
        ("don't", "dont"),
        ("don’t", "dont"),
        ("£60", "dont"),
        ("#hush", "dont"),
        ("?", "asked"),
        ("gard", "garden"),
        ('"to the sea"', "quoted"),
        ("bold words", "quoted"),
    ],
)
def test_what_is_there_is_found(index: WordsIndex, typed: str, expected: str) -> None:
    assert expected in list_found(index, typed)


@pytest.mark.parametrize(
    ("typed", "unexpected"),
    [
        ("c++", "c"),
        ("気天", "chinese"),
        ('"walked slowly"', "walk"),
        ("walk -home", "walk"),
        ("ome", "walk"),
        ("£61", "dont"),
    ],
)
def test_what_is_not_there_is_not_found(index: WordsIndex, typed: str, unexpected: str) -> None:
    assert unexpected not in list_found(index, typed)


def test_other_forms_of_a_word_are_found_after_the_word_itself() -> None:
    index = WordsIndex()
    forms = make_document("walking walking walking")
    exact = make_document("A long day of letters and of many other things, and then a short walk.")
    index.upsert([forms, exact])

    hits = index.find(parse("walk "), limit=5)

    assert hits.strict == [exact.id, forms.id]


def test_stemming_hides_no_exact_hit() -> None:
    index = WordsIndex()
    odd = [
        make_document(word)
        for word in ("universe", "university", "news", "new", "caresses", "ponies", "ties")
    ]
    index.upsert(odd)

    for text in odd:
        assert index.find(parse(f"{text.text} "), limit=9).strict[0] == text.id


def test_quotes_ask_for_these_very_words(index: WordsIndex) -> None:
    assert list_found(index, '"walk"') == []
    assert set(list_found(index, '"walked"')) == {"walk", "quoted"}


def test_a_phrase_in_one_old_text_comes_first_however_many_texts_have_its_words() -> None:
    index = WordsIndex()
    chance = random.Random(4)
    crowd = [
        make_document(" ".join(chance.choices(["tea", "with", "my", "old", "aunt"], k=30)))
        for _ in range(MAX_RANKED + 500)
    ]
    planted = make_document("We had tea with old my aunt, oddly said.", day=date(1990, 1, 1))
    index.upsert([planted, *crowd])

    hits = index.find(parse("tea with old my aunt oddly"), limit=10)

    assert hits.phrases == [planted.id]
    assert hits.strict == [planted.id]


def test_common_words_give_the_newest_and_the_true_number() -> None:
    index = WordsIndex()
    texts = [make_document(f"the text {number}") for number in range(MAX_RANKED + 100)]
    index.upsert(texts)

    hits = index.find(parse("the text "), limit=10)

    assert hits.total == MAX_RANKED + 100
    assert hits.strict[0] == texts[-1].id


@pytest.mark.parametrize(
    ("typed", "found"), [("wit", {"Wit.", "Wither."}), ("with", None), ("wen", None), ("при", {"Привет."})]
)
def test_a_beginning_is_continued_by_frequent_words_only_if_there_are_no_others(
    typed: str, found: set[str] | None
) -> None:
    index = WordsIndex()
    crowd = [make_document("Went with her.") for _ in range(MAX_RANKED + 1)]
    few = [make_document(text) for text in ("Wit.", "Wither.", "Привет.")]
    index.upsert([*crowd, *few])

    hits = index.find(parse(typed), limit=MAX_RANKED + 10)

    assert hits.total == (len(crowd) if found is None else len(found))
    texts = {document.id: document.text for document in few}
    assert {texts.get(id_) for id_ in hits.strict} == (found or {None})


@pytest.mark.parametrize("typed", ["*", "?", "[", "]", "[*]", "?!", '"', "^"])
def test_punctuation_is_found_as_it_stands(typed: str) -> None:
    index = WordsIndex()
    texts = ["*", "?", "[", "]", "[*]", "?!", '"', "^", "[^", "", "]["]
    documents = {make_document(f"Rain{text} all night.").id: text for text in texts}
    index.upsert([make_document(f"Rain{text} all night.", id_=id_) for id_, text in documents.items()])

    found = index.find(parse(typed), limit=50).strict

    assert {documents[id_] for id_ in found} == {text for text in texts if typed in text}


def test_words_with_signs_are_left_out_as_they_stand() -> None:
    index = WordsIndex()
    signed, plain = make_document("I learn C++ and €."), make_document("I learn C.")
    index.upsert([signed, plain])

    assert index.find(parse("learn -c++"), limit=5).strict == [plain.id]
    assert index.find(parse("in:entries -c++"), limit=5).strict == [plain.id]
    assert index.find(parse("learn -€"), limit=5).strict == [plain.id]


def test_a_diary_of_one_word_is_counted_no_further_than_anybody_reads() -> None:
    index = WordsIndex()
    index.upsert([make_document("Rain.") for _ in range(MAX_COUNTED + 10)])

    assert [
        index.find(parse(typed), limit=5).total for typed in ("rain", "rain in:entries", "in:entries")
    ] == [MAX_COUNTED] * 3


def test_a_word_that_is_repeated_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    index = WordsIndex()
    index.upsert([make_document("a heron on the lawn")])
    calls: list[object] = []

    def count(*arguments: Any, **options: Any) -> Any:
        calls.append(options)
        return match_some_terms(*arguments, **options)

    monkeypatch.setattr(fts_queries, "match_some_terms", count)

    assert index.find(parse("*heron_" * 50 + " weir"), limit=5).total == 0
    assert len(calls) == 2


def test_a_few_hits_are_followed_by_texts_with_some_of_the_words() -> None:
    index = WordsIndex()
    both, one = make_document("a heron on the weir"), make_document("a heron on the lawn")
    index.upsert([both, one])

    hits = index.find(parse("heron weir"), limit=10)

    assert hits.strict == [both.id]
    assert one.id in hits.loose


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("when was the heron at the lake", {"heron"}),
        ("wann war der Reiher an dem See", {"reiher"}),
        ("at of the", {"heron", "dinner", "river", "desk"}),
        ("at of the zzzzqqq", set()),
        ("when did the aunt die", {"dies"}),
    ],
)
def test_where_not_all_words_are_found_stop_words_find_nothing(typed: str, found: set[str]) -> None:
    index = WordsIndex()
    texts = {
        "heron": "The heron was in the weir with a fish.",
        "dinner": "Dinner at the inn with Ada; they were late.",
        "river": "What a day at the river with them.",
        "reiher": "Der Reiher war an dem Wehr.",
        "dies": "If plants die, I buy others.",
    }
    documents = {name: make_document(text) for name, text in texts.items()}
    # So that "die" is rare here.
    index.upsert([*documents.values(), *(make_document(f"At the desk, {number}.") for number in range(55))])

    hits = index.find(parse(typed), limit=50)

    names = {document.id: name for name, document in documents.items()}
    assert hits.strict == []
    assert {names.get(id_, "desk") for id_ in hits.loose} == found


def test_filters_alone_list_what_they_let_through_newest_first() -> None:
    index = WordsIndex()
    old, new = make_document("b", day=date(2020, 5, 1)), make_document("a", day=date(2021, 5, 1))
    reply = make_document("c", day=date(2021, 5, 2), kind="reply")
    index.upsert([new, old, reply])

    assert index.find(parse("from:2020"), limit=9).strict == [reply.id, new.id, old.id]
    assert index.find(parse("from:2020 to:2020"), limit=9).strict == [old.id]
    assert index.find(parse("in:replies"), limit=9).strict == [reply.id]
    assert index.find(parse("-b"), limit=9).total == 2


def test_a_replaced_text_is_found_only_as_it_is() -> None:
    index = WordsIndex()
    first = make_document("violin naïve 天気 walked")
    index.upsert([first])

    index.upsert([make_document("cello", id_=first.id)])

    for typed in ("violin", "naive", "天気", "walk", '"violin naive"', "viol*"):
        hits = index.find(parse(typed), limit=9)
        assert (hits.strict, hits.loose) == ([], []), typed
    assert index.count() == 1


def test_a_kept_index_answers_like_the_one_it_was() -> None:
    index = WordsIndex()
    text = make_document("A lantern in the fog, and walking home.")
    index.upsert([text])

    again = WordsIndex(index.dump())
    again.upsert([make_document("Another lantern.")])

    assert again.find(parse("walk fog"), limit=9).strict == [text.id]
    assert again.find(parse("lantern"), limit=9).total == 2
    assert again.load_documents([text.id]) == {text.id: text}


@pytest.mark.parametrize("kept", [b"", b"not an index at all", b"SQLite format 3\0" + bytes(2000)])
def test_bytes_that_are_no_index_are_refused(kept: bytes) -> None:
    if not kept:
        return
    with pytest.raises(SnapshotRefused):
        WordsIndex(kept)


def test_a_closed_index_answers_nobody(index: WordsIndex) -> None:
    closed = WordsIndex()
    closed.close()
    closed.close()

    with pytest.raises(IndexClosed):
        closed.find(parse("anything"), limit=5)
    with pytest.raises(IndexClosed):
        closed.dump()


WRITTEN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@settings(max_examples=200)
@given(WRITTEN, WRITTEN)
@example("«-0", "0")
@example('-"0', "0")
def test_every_word_of_any_text_is_found_by_itself(text: str, other: str) -> None:
    index = WordsIndex()
    document: Document = make_document(text)
    index.upsert([make_document(other), document])

    for word in text.split()[:4]:
        if split_words(word):
            phrase = word.replace('"', " ")
            assert document.id in index.find(parse(f'"{phrase}"'), limit=9).strict, word
    index.close()


@given(WRITTEN)
def test_folding_with_places_gives_the_folded_text(text: str) -> None:
    folded, places = fold_with_offsets(text)

    assert len(places) == len(folded) + 1
    assert places == sorted(places)
    assert folded.isascii() or set(folded) - set(fold(text)) == set()


def test_what_was_read_is_read_again_once_the_index_changed() -> None:
    index = WordsIndex()
    first, second = UUID(int=1), UUID(int=2)
    index.upsert([make_document("a walk", id_=id_, day=date(2026, 3, 1)) for id_ in (first, second)])
    early = replace(parse("walk"), until=date(2026, 3, 5))
    assert (
        index.find_allowed(early, limit=9) == index.load_outlines([first, second]).keys() == {first, second}
    )

    index.upsert([make_document("a walk", id_=first, day=date(2026, 3, 9))])
    moved = index.find(parse("walk"), limit=9).outlines[first]
    index.remove([second])

    assert (moved.day, index.load_outlines([first])[first]) == (date(2026, 3, 9), moved)
    assert index.find(parse("walk"), limit=9).outlines == {first: moved}
    assert not index.find_allowed(early, limit=9)
    assert index.find_allowed(parse("walk"), limit=0) is None
    assert not index.load_outlines([second])
