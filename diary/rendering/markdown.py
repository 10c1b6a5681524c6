"""Markdown to safe HTML, block by block, with the same result during streaming and after a reload.

    text --control characters as pictures--> blocks (markdown-it) --inline, HTML--> nh3 --> list of HTML

CommonMark with tables and strikethrough; a new line is a line break; an indented paragraph is a paragraph,
not code; no raw HTML; no images (an image becomes a link); no reference definitions, since a later line could
then change an earlier block. A block that is too deep or too costly to parse is shown as escaped paragraphs
of its source, and so is everything after `MAX_LINES` lines, so that the time for a hostile text is
proportional to its length.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from diary.rendering.emoji import replace_shortcodes

MAX_LINES = 4_000
MAX_MARKS = 1_500  # characters that may begin or end something inline, in one run of text
MAX_DEPTH = 20

_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE | re.ASCII)
_INLINE_MARKS = re.compile(r"[\[\]*_~`<!&\\(]")
# Lines without any Markdown, neither inside them nor at their beginning.
_WORD = r"[^\\`*_~<>&\[\]|\s]"
_LINE = rf"(?![-+=#]|\d{{1,9}}[.)](?:\s|\Z)){_WORD}(?:[^\\`*_~<>&\[\]|\n]*{_WORD})?"
_PLAIN = re.compile(rf"{_LINE}(?:\n+{_LINE})*\n*")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_BLOCK_TAGS = ("p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "table", "th", "td")
_TAGS = {*_BLOCK_TAGS, "thead", "tbody", "tr", "hr", "br", "em", "strong", "s", "code", "a"}
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    set_tag_attribute_values={tag: {"dir": "auto"} for tag in _BLOCK_TAGS},
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def _replace_shortcodes(state: StateCore) -> None:
    """Replace shortcodes by emoji in text, but not in code."""
    for block in state.tokens:
        for token in block.children or ():
            if token.type == "text":
                token.content = replace_shortcodes(token.content)


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_DEPTH})
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "code", "html_block", "html_inline", "image"])
    parser.core.ruler.push("emoji", _replace_shortcodes)
    parser.core.ruler.enableOnly(["inline", "text_join", "emoji"])
    parser.validateLink = lambda url: bool(_ADDRESS.match(url))  # type: ignore[method-assign]  # its documented hook
    return parser


_markdown = _build_parser()


class MarkdownBlock(NamedTuple):
    """A top-level block of the source: its first line, the line after its last, and its tokens."""

    first: int
    end: int
    tokens: list[Token]


def _control_picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def show_control_characters(text: str) -> str:
    """Return the text with each control character replaced by its Unicode picture; for display only."""
    return _CONTROL_CHARACTERS.sub(_control_picture, text)


def _escape(text: str) -> str:
    # As nh3 writes text: these, and quotation marks as they are.
    return escape(text, quote=False).replace("\xa0", "&nbsp;")


def _render_paragraphs(text: str) -> list[str]:
    """Return a text as escaped paragraphs, without interpreting Markdown."""
    paragraphs = (paragraph.strip("\n") for paragraph in _BLANK_LINES.split(text))
    lines = (_escape(one).replace("\n", "<br>\n") for one in paragraphs if one.strip())
    return [f'<p dir="auto">{one}</p>\n' for one in lines]


def _parse_blocks(text: str) -> Iterator[MarkdownBlock]:
    tokens: list[Token] = []
    _markdown.block.parse(text, _markdown, {}, tokens)
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            group = tokens[start : index + 1]
            first, end = group[0].map or (0, 0)
            yield MarkdownBlock(first, end, group)
            start = index + 1


def _is_too_complex(tokens: list[Token]) -> bool:
    if max(token.level for token in tokens) >= MAX_DEPTH - 1:
        return True
    return any(
        token.type == "inline" and len(_INLINE_MARKS.findall(token.content)) > MAX_MARKS for token in tokens
    )


def _lower_headings(tokens: list[Token]) -> None:
    """Lower headings to h3 and below, since the page has h1 for the day and h2 for the month."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


def _render_block(block: MarkdownBlock, lines: list[str]) -> str:
    if _is_too_complex(block.tokens):
        return "".join(_render_paragraphs("\n".join(lines[block.first : block.end])))
    env: dict[str, Any] = {}
    _lower_headings(block.tokens)
    _markdown.core.process(StateCore("", _markdown, env, block.tokens))
    return _cleaner.clean(_markdown.renderer.render(block.tokens, _markdown.options, env))


def render_blocks(text: str) -> list[str]:
    """Return the safe HTML of each top-level block of a Markdown text."""
    shown = show_control_characters(text)
    lines = shown.split("\n")
    if len(lines) <= MAX_LINES and _PLAIN.fullmatch(shown):
        # Most of what people write, in a tenth of the time.
        return _render_paragraphs(replace_shortcodes(shown))
    head = shown if len(lines) <= MAX_LINES else "\n".join(lines[:MAX_LINES])
    return [_render_block(block, lines) for block in _parse_blocks(head)] + _render_paragraphs(
        "\n".join(lines[MAX_LINES:])
    )


def render_markdown(text: str) -> str:
    """Return the safe HTML of a Markdown text."""
    return "".join(render_blocks(text))


class SettledSplit(NamedTuple):
    """A growing text: the length of its settled part, the HTML blocks of that part, and HTML of the rest."""

    settled_len: int
    settled: list[str]
    tail: str


def split_settled(text: str) -> SettledSplit:
    """Split a growing text after the blocks that no appended text can change.

    Only blocks of complete lines are settled, since an incomplete line may still change its meaning, and
    except for the last block, which may still grow. The rest is parsed as a separate text: once the text has
    grown, pass `text[settled_len:]` next.
    """
    shown = show_control_characters(text)
    complete = shown[: shown.rfind("\n") + 1]
    *settled, last = [block.first for block in _parse_blocks(complete)] or [0]
    length = sum(len(line) + 1 for line in complete.split("\n")[:last]) if settled else 0
    return SettledSplit(length, render_blocks(text[:length]), render_markdown(text[length:]))
