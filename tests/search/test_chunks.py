"""Tests of splitting texts into chunks that a model can embed."""

from hypothesis import given
from hypothesis import strategies as st

from search.chunks import HALF_TOKENS, WHOLE_TOKENS, split_into_chunks


def count(texts: object) -> list[int]:
    return [len(text.split()) + len(text) // 200 for text in texts]  # type: ignore[attr-defined]


def split(text: str) -> list[str]:
    return [text[slice(*span)] for span in split_into_chunks(text, count)]


def test_a_short_text_is_one_chunk() -> None:
    assert split("A few words.\n\nAnd a few more.") == ["A few words.\n\nAnd a few more."]


def test_a_text_of_one_thing_stays_whole_and_a_longer_one_is_cut() -> None:
    assert len(split("word " * (WHOLE_TOKENS - 10))) == 1
    assert len(split("A few words. " * WHOLE_TOKENS)) > WHOLE_TOKENS * 3 // HALF_TOKENS - 2


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    paragraphs = [f"{name} " * (HALF_TOKENS - 4) for name in ("one", "two", "three", "four")]

    pieces = split("\n\n".join(paragraphs))

    assert [set(piece.split()) for piece in pieces] == [{"one", "two"}, {"two", "three"}, {"three", "four"}]


def test_a_long_paragraph_is_cut_between_sentences_into_chunks_of_like_length() -> None:
    text = " ".join(f"This is sentence number {n} of a very long paragraph." for n in range(120))

    pieces = split(text)

    assert all(piece.strip().endswith(".") for piece in pieces)
    lengths = [len(piece.split()) for piece in pieces]
    assert max(lengths) - min(lengths) <= 25


def test_text_without_spaces_is_cut_all_the_same() -> None:
    pieces = split_into_chunks("漢" * 12_000, lambda texts: [len(text) for text in texts])

    assert max(end - start for start, end in pieces) <= 4 * HALF_TOKENS


@given(st.text(max_size=3000))
def test_chunks_go_on_where_the_one_before_ends_or_earlier_and_leave_no_word_out(text: str) -> None:
    spans = split_into_chunks(text, count)

    assert spans == sorted(spans)
    covered = {place for span in spans for place in range(*span)}
    assert not [
        place for place, character in enumerate(text) if not character.isspace() and place not in covered
    ]
