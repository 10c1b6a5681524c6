"""Tests of highlighting a passage in the HTML of a note, by its runs of plain words."""

import pytest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from diary.rendering.page_texts import render_page_text
from diary.rendering.passage_highlights import highlight_passage
from tests.page import read

SIMPLE = "Prune the roses in March."


@pytest.mark.parametrize(
    ("text", "passage", "marked"),
    [
        (f"First.\n\n{SIMPLE}\n\nLast.", SIMPLE, ["Prune the roses in March"]),
        # Markdown, and what HTML writes in another way, divide the runs of words.
        ("A **very old** rose & a younger one.", "**very old** rose & a younger one", ["a younger one"]),
        ("- one and one\n- two and two", "- one and one\n- two and two", ["one and one", "two and two"]),
        # Of two places, the one beside the longest run.
        (
            "water them well\n\nwater them well\n\nThe long sentence about roses.",
            "water them well\n\nThe long sentence about roses.",
            ["water them well", "The long sentence about roses"],
        ),
        ("short", "short", ["short"]),
        ("Nothing of it", "something else entirely", []),
        ("Anything", "***", []),
        ("Anything", "", []),
        # Not in an address.
        ("[here](http://elsewhere.example/garden-of-roses) and on", "garden-of-roses", []),
        ("Rosen: im März – früh, und „spät“.", "im März – früh, und", ["im März – früh, und"]),
    ],
)  # fmt: skip
def test_the_words_of_a_passage_are_marked_and_the_first_has_the_anchor(
    text: str, passage: str, marked: list[str]
) -> None:
    page = read(highlight_passage(render_page_text(text), passage))

    assert page.texts("mark.found") == marked
    assert page.texts("#passage") == marked[:1]
    assert page.text == read(render_page_text(text)).text


def test_two_places_are_told_apart_by_what_is_around_them() -> None:
    text = "water them well\n\nwater them well\n\nThe long sentence about roses."

    html = highlight_passage(render_page_text(text), "water them well\n\nThe long sentence about roses.")

    assert html.index("water them well") < html.index("<mark")


def test_a_text_without_format_is_marked_and_stays_escaped() -> None:
    html = highlight_passage(conditional_escape("<b>bold words here</b> & more"), "<b>bold words here</b>")

    assert html == '&lt;b&gt;<mark class="found" id="passage">bold words here</mark>&lt;/b&gt; &amp; more'
    assert isinstance(html, SafeString)
