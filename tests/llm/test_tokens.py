"""Tests that the token estimate is never too low, for any script."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from llamora.llm.tokens import estimate_tokens


@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"])))
def test_outside_ascii_there_are_never_more_tokens_than_bytes(text: str) -> None:
    assert estimate_tokens(text) >= len(text.encode())


def test_twelve_thousand_chinese_characters_are_at_least_as_many_tokens() -> None:
    assert estimate_tokens("雨" * 12_000) >= 12_000


def test_digits_and_signs_count_for_themselves() -> None:
    assert estimate_tokens("1234567890") == 10
    assert estimate_tokens("{}[]") == 4


def test_it_is_no_less_than_a_real_tokenizer_and_not_absurd(shared: Path) -> None:
    tokenizer = Tokenizer.from_file(str(shared / "models/all-MiniLM-L6-v2-int8/tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lines = (shared / "corpus/pepys_1660_1664.jsonl").read_text().splitlines()[:50]

    counts = [(estimate_tokens(line), len(tokenizer.encode(line).ids)) for line in lines]

    assert all(ours >= theirs for ours, theirs in counts)
    assert sum(ours for ours, _ in counts) < 2 * sum(theirs for _, theirs in counts)
