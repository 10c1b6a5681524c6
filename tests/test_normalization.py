"""Tests of Unicode normalization: the same result as Python's, and quick for any text."""

import random
import sys
import time
import unicodedata

import pytest

from accounts.usernames import fold_username
from llamora.normalization import Form, normalize
from search.query.folding import fold
from traces.matcher import fold_text

FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")
ABOVE, BELOW = "\u0301", "\u0323"
EVERY = [chr(number) for number in range(sys.maxunicode + 1)]


@pytest.mark.parametrize("form", FORMS)
def test_a_text_with_few_marks_on_a_letter_becomes_the_same(form: Form) -> None:
    some = random.Random(3)
    assigned = [c for c in EVERY if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    marks = "".join(c for c in assigned if unicodedata.combining(c))
    texts = ["", "-" * 500 + "e" + ABOVE, "e" + ABOVE * 64, "Ünïcödé 日本語 ﾊﾞﾊﾟ 한국어 "]
    texts += ["".join(some.choices(assigned, k=2_000)) for _ in range(5)]
    texts += ["a".join("".join(some.choices(marks, k=60)) for _ in range(30)) for _ in range(5)]

    differing = [
        ascii(text[:20]) for text in texts if normalize(form, text) != unicodedata.normalize(form, text)
    ]

    assert differing == []


@pytest.mark.parametrize("marks", [ABOVE + BELOW, ABOVE + "\uff9e", "\u0f81" + ABOVE], ids=ascii)
def test_thousands_of_marks_take_no_longer_than_thousands_of_letters(marks: str) -> None:
    unsorted = "a" + marks[0] * 30_000 + marks[1] * 30_000
    began = time.process_time()

    lengths = [len(normalize(form, unsorted)) for form in FORMS]
    folded = fold(unsorted), fold_text(unsorted), fold_username(unsorted)

    assert time.process_time() - began < 5  # sorted in one piece, minutes
    assert min(lengths) >= 60_000 - 2
    assert all(text.startswith(("a", "á")) for text in folded)


def test_no_mark_comes_before_the_first_block_of_marks() -> None:
    normal = [unicodedata.normalize(form, c) for form in FORMS for c in EVERY[:0x300]]

    assert not any(unicodedata.combining(text[0]) for text in normal)


def test_whatever_begins_with_a_mark_in_a_normal_form_is_counted_as_one() -> None:
    beginning = [c for c in EVERY if unicodedata.combining(unicodedata.normalize("NFKD", c)[:1] or "a")]

    uncut = [ascii(c) for c in beginning if _is_sorted_at_once("a" + (c + ABOVE + BELOW) * 100)]

    assert uncut == []


def _is_sorted_at_once(text: str) -> bool:
    """Return whether all marks of one class come before all of another."""
    normal = normalize("NFKD", text)
    return normal.rfind(BELOW) < normal.find(ABOVE)
