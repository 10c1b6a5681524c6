"""Tests of shortening a long text to its beginning and end."""

from diary.generation.prompt_entries import omit_middle


def test_both_ends_of_a_text_stay() -> None:
    text = " ".join(str(number) for number in range(300))

    short = omit_middle(text, limit=90)

    head, tail = short.split(" … ")
    assert len(short) <= 95
    assert text.startswith(head + " ")
    assert text.endswith(" " + tail)
    assert len(tail) > len(head)
    assert omit_middle("short", limit=90) == "short"
