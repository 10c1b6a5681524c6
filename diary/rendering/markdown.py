"""Markdown to safe HTML, block by block, with the same result during streaming and after a reload.

    text --control characters as pictures--> blocks (markdown-it) --inline, HTML--> nh3 --> list of HTML

CommonMark with tables and strikethrough; a new line is a line break; an indented paragraph is a paragraph,
not code; no raw HTML; no images (an image becomes a link); no reference definitions, since a later line could
then change an earlier block. A link in text of the model is shown as its words and its address, not linked:
the address may hold words of the diary, and one click would carry them out.

The work is bounded by a `RenderBudget`, counted in units: one for each token of a block, and one for each
character at which something inside a block may begin or end. A cell of a table, even if missing from its
row, is three tokens. Paragraphs of plain words are free. When the budget is spent, the rest of the
text is shown as escaped paragraphs of its source, and so is any single block that is too deep or has too many
marks in one run of text; a sentence precedes the first of them. A hostile text is given up while its
blocks are parsed, before its tokens are made. A unit takes about 10 microseconds.
"""

import re
from dataclasses import dataclass, replace
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as parse_table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from diary import messages
from diary.rendering.emoji import replace_shortcodes

MAX_UNITS = 8_000  # of one text
MAX_TAIL_UNITS = 2_000  # of the unsettled part of a growing text, which is rendered again at each tick
MAX_LINES = 4_000
MAX_MARKS = 1_500  # characters that may begin or end something inline, in one run of text
MAX_DEPTH = 20
_TOKENS_PER_CELL = _TOKENS_OF_PARAGRAPH = 3
# The tokens of the most plain paragraphs that fit into MAX_LINES lines.
_FREE_TOKENS = _TOKENS_OF_PARAGRAPH * MAX_LINES // 2

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


class _BudgetSpent(Exception):  # noqa: N818 - ends the parsing, and is no fault
    """Raised by the block parser at the line from which parsing would exceed the budget."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def _check_budget(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Raise _BudgetSpent if the budget is spent; as the first rule, it is asked before each block."""
    del end
    if not silent and len(state.tokens) > state.env["tokens"]:
        raise _BudgetSpent(start)
    return False


def _parse_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table, unless it has more cells than the budget has tokens left."""
    if silent or start + 2 > end:
        return parse_table(state, start, end, silent)
    columns = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1])
    most_cells = (state.env["tokens"] - len(state.tokens)) // _TOKENS_PER_CELL
    if columns > max(1, most_cells):
        raise _BudgetSpent(start)
    # One row more than there is room for: a table that is cut here exceeds the budget, and is not shown cut.
    return parse_table(state, start, min(end, start + 3 + most_cells // max(1, columns)), silent)


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_DEPTH})
    parser.enable(["table", "strikethrough"])
    parser.block.ruler.at("table", _parse_table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("table", "budget", _check_budget)
    parser.disable(["reference", "code", "html_block", "html_inline", "image"])
    parser.core.ruler.push("emoji", _replace_shortcodes)
    parser.core.ruler.enableOnly(["inline", "text_join", "emoji"])
    parser.validateLink = lambda url: bool(_ADDRESS.match(url))  # type: ignore[method-assign]  # its documented hook
    return parser


_markdown = _build_parser()
_NOTICE = f'<p class="fine-print">{escape(messages.PLAIN_TEXT)}</p>\n'


@dataclass(slots=True)
class RenderBudget:
    """The budget that is left for rendering one text, and that all parts of this text share.

    `has_links` if links are rendered as links; it is false for texts of the model.
    """

    units: int = MAX_UNITS
    has_links: bool = True
    lines: int = MAX_LINES
    is_spent: bool = False
    # Whether the sentence about plain text was shown.
    is_noticed: bool = False


class MarkdownBlock(NamedTuple):
    """A top-level block of a Markdown source: the range of its lines, and its tokens.

    `first` is the index of its first line, and `end` the index of the first line after the block.
    """

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


def _parse_blocks(text: str, *, units: int) -> tuple[list[MarkdownBlock], int | None]:
    """Return the top-level blocks of a text, and the line at which the units were spent, if they were."""
    tokens: list[Token] = []
    stop: int | None = None
    try:
        _markdown.block.parse(text, _markdown, {"tokens": units + _FREE_TOKENS}, tokens)
    except _BudgetSpent as spent:
        stop = spent.line
    blocks, start = [], 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            group = tokens[start : index + 1]
            first, end = group[0].map or (0, 0)
            blocks.append(MarkdownBlock(first, end, group))
            start = index + 1
    if stop is not None and start < len(tokens):
        # Inside a block, of which nothing is shown formatted.
        stop = (tokens[start].map or (0, 0))[0]
    return blocks, stop


def _count_units(tokens: list[Token]) -> int:
    if (
        len(tokens) == _TOKENS_OF_PARAGRAPH
        and tokens[0].type == "paragraph_open"
        and _PLAIN.fullmatch(tokens[1].content)
    ):
        return 0
    contents = [token.content for token in tokens if token.type == "inline"]
    marks = _markdown.inline.terminator_re
    # A bracket counts twice: what follows each is searched for the end of a link.
    return len(tokens) + sum(len(marks.findall(content)) + content.count("[") for content in contents)


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


def _write_out_links(tokens: list[Token]) -> None:
    """Replace each link by its words and its address."""
    for block in tokens:
        children: list[Token] = []
        addresses: list[str] = []
        start = 0
        for token in block.children or ():
            if token.type == "link_open":
                addresses.append(str(token.attrs.get("href", "")))
                start = len(children)
            elif token.type == "link_close":
                address = addresses.pop()
                if not _is_shown(address, children[start:]):
                    gap = " " if len(children) > start else ""
                    children.append(Token("text", "", 0, content=f"{gap}({address})"))
            else:
                children.append(token)
        if block.children:
            block.children = children


def _is_shown(address: str, words: list[Token]) -> bool:
    """Return whether the words of a link are its address, as those of `<https://…>` are."""
    shown = "".join(token.content for token in words)
    return bool(shown) and address.removeprefix("mailto:") == shown.removeprefix("mailto:")


def _render_block(block: MarkdownBlock, lines: list[str], budget: RenderBudget) -> str:
    if _is_too_complex(block.tokens):
        return _render_plain(lines[block.first : block.end], budget)
    env: dict[str, Any] = {}
    _lower_headings(block.tokens)
    _markdown.core.process(StateCore("", _markdown, env, block.tokens))
    if not budget.has_links:
        _write_out_links(block.tokens)
    return _cleaner.clean(_markdown.renderer.render(block.tokens, _markdown.options, env))


def _render_plain(lines: list[str], budget: RenderBudget) -> str:
    """Return lines as escaped paragraphs, the first time after a sentence that says why they are plain."""
    paragraphs = _render_paragraphs("\n".join(lines))
    if not paragraphs or budget.is_noticed:
        return "".join(paragraphs)
    budget.is_noticed = True
    return _NOTICE + "".join(paragraphs)


def _format_lines(lines: list[str], budget: RenderBudget) -> tuple[list[str], int]:
    """Return the HTML of the blocks that the budget covers, and the line after them."""
    if budget.is_spent:
        return [], 0
    text = "\n".join(lines)
    if _PLAIN.fullmatch(text):
        # Most of what people write, in a tenth of the time.
        budget.lines -= len(lines)
        return _render_paragraphs(replace_shortcodes(text)), len(lines)
    head = lines[: max(0, budget.lines)] if budget.units > 0 else []
    blocks, stop = _parse_blocks(text if len(head) == len(lines) else "\n".join(head), units=budget.units)
    html = []
    for block in blocks:
        cost = _count_units(block.tokens)
        if cost > budget.units:
            stop = block.first
            break
        budget.units -= cost
        html.append(_render_block(block, lines, budget))
    done = len(head) if stop is None else stop
    budget.lines -= done
    if done < len(lines):
        # The whole budget is spent: parsing the blocks that are not shown cost time too.
        budget.units, budget.is_spent = 0, True
    return html, done


def _render_shown(shown: str, budget: RenderBudget) -> list[str]:
    lines = shown.split("\n")
    html, done = _format_lines(lines, budget)
    plain = _render_plain(lines[done:], budget)
    return [*html, plain] if plain else html


def render_plain_words(text: str) -> str | None:
    """Return the HTML of a text without Markdown; return None for a text with Markdown.

    Without Markdown, rendering costs so little that it needs no budget.
    """
    shown = show_control_characters(text)
    return "".join(_render_paragraphs(replace_shortcodes(shown))) if _PLAIN.fullmatch(shown) else None


def render_blocks(text: str, *, budget: RenderBudget | None = None) -> list[str]:
    """Return the safe HTML of a Markdown text, one string for each top-level block.

    What exceeds the budget is rendered as plain paragraphs.
    """
    return _render_shown(show_control_characters(text), budget or RenderBudget())


def render_markdown(text: str, *, budget: RenderBudget | None = None) -> str:
    """Return the safe HTML of a Markdown text."""
    return "".join(render_blocks(text, budget=budget))


class SettledSplit(NamedTuple):
    """A growing text in two parts: the settled part, which no further text can change, and the rest.

    `settled` has the HTML blocks of the settled part, `tail` is the HTML of the rest.
    """

    settled_len: int
    settled: list[str]
    tail: str


def split_settled(
    text: str, *, budget: RenderBudget | None = None, max_tail_units: int = MAX_UNITS
) -> SettledSplit:
    """Split a growing text after the last Markdown block that further text cannot change.

    Only blocks of complete lines are settled, since an incomplete line may still change its meaning. The last
    of these blocks is not settled either, since it may still grow. The rest is parsed as a separate text:
    once the text has grown, pass `text[settled_len:]` next, with the same budget. While the rest costs more
    than `max_tail_units`, it is shown as plain text; it is formatted once it is settled.
    """
    budget = budget or RenderBudget()
    shown = show_control_characters(text)
    lines = shown.split("\n")
    if budget.is_spent:
        done = _find_plain_end(lines[:-1])
        settled = [plain] if (plain := _render_plain(lines[:done], budget)) else []
    else:
        settled, done = _format_lines(lines[: _find_settled_end(lines[:-1], budget)], budget)
    length = sum(len(line) + 1 for line in lines[:done])
    tail = replace(budget, units=min(budget.units, max_tail_units))
    return SettledSplit(length, settled, "".join(_render_shown(shown[length:], tail)))


def _find_settled_end(complete: list[str], budget: RenderBudget) -> int:
    """Return the number of lines in front of the last block of these complete lines."""
    if not complete:
        return 0
    head = complete[: max(0, budget.lines)]
    blocks, stop = _parse_blocks("\n".join(head) + "\n", units=budget.units)
    firsts = [block.first for block in blocks]
    if stop is not None:
        firsts.append(stop)
    return firsts[-1] if len(firsts) > 1 else 0


def _find_plain_end(complete: list[str]) -> int:
    """Return the number of lines in front of the last paragraph of these complete lines."""
    for end in range(len(complete) - 1, 0, -1):
        if complete[end].strip(" \t") and not complete[end - 1].strip(" \t"):
            return end
    return 0
