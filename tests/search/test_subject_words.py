"""Tests of the words by which two passages are recognised as being about the same subject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.folding import split_words
from search.query.subject_words import find_subject, find_subject_words, weigh_shared_words


def weigh(one: str, other: str) -> float:
    words = find_subject_words(one) | find_subject_words(other)
    return weigh_shared_words(find_subject(one), find_subject(other), dict.fromkeys(words, 1.0))


def test_stop_words_numbers_and_letters_tell_nothing() -> None:
    assert find_subject_words("25th. I paid £30 to W. for the 2 looms at 10:30") == {"paid", "looms"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Fahrt nach Lüneburg", "luneburg"),
        ("زرت المكتبة", "المكتبه"),
        ("הלכתי לספרייה", "לספרייה"),
        ("Ходили в музей", "музеи"),
    ],
)
def test_words_of_other_languages_are_folded_like_those_of_the_index(text: str, word: str) -> None:
    assert word in find_subject_words(text)


def test_scripts_without_words_have_pairs_and_those_of_syllables_whole_words() -> None:
    assert " ".join(split_words("李明")) in find_subject_words("今天我和李明去公园。")
    assert not find_subject_words("今天。明天") & {" ".join(split_words("天明"))}
    assert " ".join(split_words("हिन्दी")) in find_subject_words("मैं हिन्दी लिखता हूँ")
    assert find_subject_words("ไปตลาดน้ำ") & find_subject_words("ที่ตลาด")


def test_a_name_counts_twice_as_much_as_a_word_in_small_letters() -> None:
    assert weigh("We met Benson at the weir.", "Then Benson came.") == 1
    assert weigh("We mended the weir.", "Then the weir broke.") == 0.5


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("We met Mr. Bland.", "Came Dr. Bland.", 1),
        ("Benson came.", "We met Benson.", 1),
        ("Bread was dear.", "Bread again.", 0.5),
        ("We saw the Smith family.", "A smith came to us.", 0.5),
        ("“Bread,” he said. Bread!", "More bread", 0.5),
        ("- Bread\n- Salt", "# Bread", 0.5),
    ],
)
def test_a_name_is_what_has_a_capital_inside_a_sentence(one: str, other: str, expected: float) -> None:
    assert weigh(one, other) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("met benson again", "benson came by"), ("met benson again", "We met Benson."), ("去公园", "公园")],
)
def test_without_capitals_no_word_counts_less(one: str, other: str) -> None:
    assert weigh(one, other) == 1


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    found = weigh(one, other)

    assert found == weigh(other, one)
    assert 0 <= found <= len(find_subject_words(one) & find_subject_words(other))
