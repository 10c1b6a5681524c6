"""Tests of rendering Markdown: its HTML, safety against markup in texts, and settled blocks of streams."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from diary.rendering import markdown as rendering_markdown
from diary.rendering.markdown import RenderBudget, render_blocks, render_markdown, split_settled

TAGS = {
    *("p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "table", "thead", "tbody", "tr"),
    *("th", "td", "hr", "br", "em", "strong", "s", "code", "a"),
}
ATTRIBUTES = {"dir", "href", "title", "rel", "start"}

PIECES = [
    *(
        "#",
        "##",
        "- ",
        "* ",
        "1. ",
        "2) ",
        "> ",
        "```",
        "~~~",
        "---",
        "***",
        "===",
        "    ",
        "\t",
        "|",
        "|-|",
        "|:-:|",
    ),
    *(
        "*",
        "**",
        "_",
        "~~",
        "`",
        "``",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "<",
        ">",
        "&",
        "\\",
        "\n",
        "\n\n",
        " ",
        "  \n",
    ),
    *("a", "word", "é", "مرحبا", "🧵", "\x07", "\x00", "\xa0", "&lt;", "&#x6a;", "\u202e", "[x]: y"),
    *(
        "http://a.b",
        "javascript:alert(1)",
        "//evil",
        "/lock/",
        "data:text/html,x",
        "mailto:a@b",
        "JaVaScRiPt:",
        "vbscript:",
    ),
    *(
        "<script>",
        "</p>",
        "<img src=x onerror=y>",
        "<!--",
        "onclick=",
        '"',
        "'",
        "<a@b.c>",
        "<http://x>",
        "&Tab;",
        "<![CDATA[",
    ),
]
markdown = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=200)


class TagReader(HTMLParser):
    """An HTML parser that records tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment came through")


@given(markdown)
@example("[a](javascript:alert(1)) <javascript:alert(1)> [b](&#106;avascript:x) [c](\x01javascript:x)")
@example('![x](http://tracker/a.png)\n\n<svg onload=x>\n\n[a](http://x "t\' onclick=y")')
@example("[a](//evil) [b](/lock/) [c](data:text/html;base64,x) [d](  javascript:x  )")
@settings(max_examples=400)
def test_nothing_in_a_text_becomes_more_than_text(text: str) -> None:
    seen = TagReader(render_markdown(text))

    assert seen.tags <= TAGS
    assert {name for name, _ in seen.attributes} <= ATTRIBUTES
    for name, value in seen.attributes:
        if name == "href":
            assert (value or "").lower().startswith(("http://", "https://", "mailto:"))


@given(markdown, st.data())
@example("- a\n--- x\n", None)
@example("para\n***\n*** x", None)
@example("- a\n\n-b\n\n- c", None)
@settings(max_examples=400)
def test_a_stream_shows_what_a_reload_shows(text: str, data: st.DataObject | None) -> None:
    settled, done, place = "", 0, 0

    while place < len(text):
        place = min(len(text), place + (data.draw(st.integers(1, 9)) if data else 1))
        split = split_settled(text[done:place])
        settled += "".join(split.settled)
        done += split.settled_len
        assert settled + split.tail == render_markdown(text[:place])


@given(markdown)
@settings(max_examples=100)
def test_blocks_are_the_whole(text: str) -> None:
    assert "".join(render_blocks(text)) == render_markdown(text)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1))
def test_plain_words_are_shown_as_they_are(words: str) -> None:
    assert TagReader(render_markdown(words)).words.strip("\n") == words


def test_a_new_line_is_a_line_break() -> None:
    assert render_markdown("one\ntwo") == '<p dir="auto">one<br>\ntwo</p>\n'


def test_a_paragraph_set_in_from_the_margin_is_a_paragraph() -> None:
    assert (
        render_markdown("    Dear diary,\n\n\tit rained.")
        == '<p dir="auto">Dear diary,</p>\n<p dir="auto">it rained.</p>\n'
    )


def test_headings_stand_below_the_page_s_own() -> None:
    assert render_markdown("# One\n###### Six") == '<h3 dir="auto">One</h3>\n<h6 dir="auto">Six</h6>\n'


def test_a_year_at_the_beginning_of_a_line_stays_that_year() -> None:
    assert '<ol start="1985"' in render_markdown("1985. What a year.")


def test_a_link_says_nothing_of_where_it_was_followed() -> None:
    html = render_markdown("[here](https://example.org)")

    assert html == (
        '<p dir="auto"><a href="https://example.org" rel="noopener noreferrer nofollow">here</a></p>\n'
    )


def test_an_image_becomes_a_link_to_it() -> None:
    assert "<img" not in render_markdown("![a boat](https://example.org/boat.png)")
    assert 'href="https://example.org/boat.png"' in render_markdown("![a boat](https://example.org/boat.png)")


def test_control_characters_are_seen() -> None:
    assert render_markdown("a\x00b\x07c\x7f") == '<p dir="auto">a␀b␇c␡</p>\n'


def test_each_block_finds_its_own_direction() -> None:
    assert render_markdown("مرحبا\n\nhello").count('dir="auto"') == 2


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("See [the weir](https://a.example/x?q=Iris).", "See the weir (https://a.example/x?q=Iris)."),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<a@b.example>", "a@b.example"),
        ("![Iris](https://a.example/x)", "!Iris (https://a.example/x)"),
        ("[**bold** one](https://a.example)", "<strong>bold</strong> one (https://a.example)"),
        ("[](https://a.example)", "(https://a.example)"),
    ],
)
def test_a_link_of_the_model_is_its_words_and_its_address(text: str, html: str) -> None:
    for size in (1, 4, 1000):
        budget = RenderBudget(has_links=False)
        assert render_markdown(text, budget=budget).strip() == f'<p dir="auto">{html}</p>'
        split = split_settled(f"{text}\n\n"[: len(text) + size], budget=RenderBudget(has_links=False))
        assert "<a" not in "".join(split.settled) + split.tail


def test_a_later_line_changes_no_earlier_link() -> None:
    assert render_markdown("[a]\n\n[a]: http://x").startswith('<p dir="auto">[a]</p>')


def test_what_is_too_deep_is_shown_as_it_was_written() -> None:
    html = render_markdown(">" * 60 + " deep")

    notice = '<p class="fine-print">Shown as plain text: too much formatting.</p>\n'
    assert html == f'{notice}<p dir="auto">{"&gt;" * 60} deep</p>\n'


def test_no_word_is_lost_however_long_the_text() -> None:
    html = render_markdown("\n".join(f"- line{number}" for number in range(6000)))

    assert all(f"line{number}" in html for number in (0, 3999, 4000, 5999))


HOSTILE = [
    *(
        "[",
        "*",
        "_",
        "`",
        ">",
        "> ",
        "- ",
        "-\n",
        "a\n",
        "*a ",
        "[a](",
        "![",
        "<",
        "&",
        "|a",
        "|a|b|\n|-|-|\n",
    ),
    *(
        "~",
        "~~a",
        "1. ",
        "#\n",
        "    a\n",
        "```\n",
        "*a_ ",
        "a**b",
        "\\",
        "(",
        "[a](b)",
        "[a](http://x)",
        "> \n",
    ),
    *(
        "*\n\n",
        "a\n\n",
        "\t",
        "  - ",
        "***a",
        "<a@b.c>",
        "&#1;",
        "[]",
        "`a``b",
        "|a\n|-\n",
        " \n",
        "]",
        "[[a]",
        "_a*",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    began = time.process_time()

    render_markdown(text)

    # A second on any machine; a quadratic parser would take minutes.
    assert time.process_time() - began < 1


def test_an_ordinary_entry_costs_little_more_than_its_parsing() -> None:
    text = ("We walked to the weir, and *nobody* spoke until the rain began. " * 8 + "\n\n") * 4
    plain = MarkdownIt("commonmark")

    def measure(render: Callable[[str], object]) -> float:
        began = time.process_time()
        render(text)
        return time.process_time() - began

    # In turns, and the least of many: another program can only make one of them longer.
    pairs = [(measure(plain.render), measure(render_markdown)) for _ in range(30)]

    assert len(text) > 2000
    assert min(ours for _, ours in pairs) < 3 * min(parsing for parsing, _ in pairs)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sun at last :sunflower:", "Sun at last 🌻"),
        ("So :+1: and :heart: it is :four_leaf_clover:.", "So 👍 and ❤️ it is 🍀."),
        ("**:tada:**", "🎉"),
        ("Rose at 10:30:15, :nothing_such: and :latin_small_letter_a:", None),
        ("a:heart:b ::heart:: :a: :", None),
    ],
)
def test_shortcodes_are_shown_as_pictures(text: str, shown: str | None) -> None:
    assert TagReader(render_markdown(text)).words.strip("\n") == (shown or text)


def test_shortcodes_in_code_stay() -> None:
    html = render_markdown("`:heart:`\n\n```\n:heart:\n```\n")

    assert html.count(":heart:") == 2


@given(st.one_of(markdown, st.text(alphabet="ab1.)-+=#!:é\n \t\u2003\xa0'\"", max_size=40)))
@example("Up betimes.\nTo my Lord's; 3 o'clock, 1660.\n\n\nSo home!\n")
@example("1660. A year\n12) twelve\n3")
@example("a\n\n\u2003b\n- c")
@example("one :heart:\n:tada: 10:30:15")
@settings(max_examples=600)
def test_plain_words_are_shown_as_the_parser_would(text: str) -> None:
    fast = render_blocks(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering_markdown, "_PLAIN", re.compile(r"(?!)"))
        assert render_blocks(text) == fast
