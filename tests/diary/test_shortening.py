"""A text that is too long is given by its two ends."""

from diary.openings.errand import both_ends


def test_both_ends_of_a_text_stay() -> None:
    text = " ".join(str(number) for number in range(300))

    short = both_ends(text, most=90)

    head, tail = short.split(" … ")
    assert len(short) <= 95
    assert text.startswith(head + " ")
    assert text.endswith(" " + tail)
    assert len(tail) > len(head)
    assert both_ends("short", most=90) == "short"
