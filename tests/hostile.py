"""Hostile texts, made to cost a parser much more than their length, and a counter of that work.

The work is counted in function calls, in Python and in C, so that a bound holds on every machine.
"""

import sys
from collections.abc import Callable, Iterator
from types import FrameType

# Repeated up to the length: marks that open something, blocks that nest, characters that decompose.
_PIECES = (
    *(
        "*",
        "_",
        "[",
        "](",
        "[a](",
        "[a](http://b) ",
        "![",
        "`",
        "`[",
        "<",
        "&",
        "&amp;",
        "~~a~~ ",
        "\\",
        "\\[",
    ),
    *(
        "*a ",
        "*a **b ",
        "*a _b ",
        "**a",
        "a**b",
        "*_",
        "*[",
        "<[",
        '[a](b "',
        "<http://a>",
        "[]",
        "[[a]",
        "(",
    ),
    *("> ", ">", "> a\n", "- ", "- a\n", "- a\n\n", "- a\n* b\n", "1. a\n", "- > a\nb\n", "# a\n", "#", ":"),
    *("---\n", "```\n", "``` a\n~~~\n", "    a\n", "|", "|\n", "|-\n", "|a|b|\n|-|-|\n", "a\n===\n"),
    "|a|b|\n|-|-|\n|c|d|\n\n",
    *(" ", "\t", "\n", "a", "word ", "a\n", "a\n\n", "a. ", '-"a ', "http://a ", ":sunflower:", ":aaaa "),
    *(
        "a-",
        "1",
        "e\u0301",
        "\u0301",
        "\u200b",
        "\u202e",
        "日",
        "🌻",
        "\xa0",
        "\u1100",
        "\ufdfa",
        "\x01",
        "\u3000",
    ),
)
# Repeated in paragraphs, each just below the limits for a single one.
_IN_PARAGRAPHS = (
    *("[", "*[", "*_", "`[", "*a ", "**a", "a**b", "[a](http://b) ", "<http://a>"),
    "**a [b `c <d ~~e ",
)


def make_table(*, columns: int, length: int, row: str = "|\n") -> str:
    """Return a table of many columns, with short rows that the parser fills up."""
    head = "a|" * columns + "\n" + "-|" * columns + "\n"
    return (head + row * (length // len(row)))[:length]


def hostile_texts(length: int) -> Iterator[tuple[str, str]]:
    """Yield a name and a text of this length for each kind of hostile text."""
    for piece in _PIECES:
        yield ascii(piece), (piece * (length // len(piece) + 1))[:length]
    for piece in _IN_PARAGRAPHS:
        paragraph = (piece * 1400)[:1400] + "\n\n"
        yield f"paragraphs of {piece!a}", (paragraph * (length // len(paragraph) + 1))[:length]
    for columns in (5, 63, 500, 12_000):
        yield f"table of {columns}", make_table(columns=columns, length=length)
    many = make_table(columns=63, length=1000) + "\n\n"
    yield "many tables", (many * (length // len(many) + 1))[:length]
    yield "growing backticks", "".join("`" * n + "a" for n in range(1, int((2 * length) ** 0.5)))[:length]
    yield "growing quotes", "".join(">" * n + "\n" for n in range(1, int((2 * length) ** 0.5)))[:length]
    yield "growing lists", "".join("  " * n + "- a\n" for n in range(int(length**0.5)))[:length]
    yield "deep quotes", ("> " * 18 + "a\n\n") * (length // 38)
    yield "deep lists", ("- " * 18 + "a\n") * (length // 38)
    yield "lazy quote", ">" * 18 + "a\n" + "b\n" * (length // 2)
    yield "open fence", "```" + "a" * length
    yield "spaces and a word", " " * (length - 1) + "x"
    yield "links in links", ("[" * 700 + "](a)" * 700 + "\n\n") * (length // 3500)


def count_calls(work: Callable[[], object]) -> int:
    """Return how many functions are called during `work`, in this thread."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        del frame, argument
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
