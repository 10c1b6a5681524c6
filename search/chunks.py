"""Splitting of texts into overlapping chunks for embedding, at sentence boundaries. Pure.

Chunks of 300 to 400 tokens were tried first, but an entry can have ten subjects, and a single vector
represents none of them well. For 25 questions about five years of a diary, chunks of 400 tokens ranked the
right day among the first five 7 times, chunks of 128 tokens 16 times. Combined with the word index, chunks
of 128 tokens did best, each overlapping half of the previous one, so that no passage is cut in two. A
short text is a single chunk.

A paragraph that is too long is split between sentences, a sentence between clauses, a clause between words,
and a word (text without spaces) between characters. Chunks are spans of the text, so that a hit can show its
passage.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

# Names the rule of cutting; vectors made under another rule are made anew.
CHUNK_RULE: Final = "twice-64-whole-160/1"
HALF_TOKENS: Final = 64
WHOLE_TOKENS: Final = 160

Span = tuple[int, int]
CountTokens = Callable[[Sequence[str]], list[int]]

_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![^\S\n]*\n)[^\n]+)*")
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？]+[\"'”’)]*|\n|$)\s*|[.!?。！？\n]+\s*")
_CLAUSE = re.compile(r"[^;:,、，；]+(?:[;:,、，；]+|$)\s*|[;:,、，；]+\s*")
_WORD = re.compile(r"\S{1,60}\s*")
_FINER: Final = (_SENTENCE, _CLAUSE, _WORD)


def split_into_chunks(text: str, count: CountTokens) -> list[Span]:
    """Return the spans of the chunks of a text. `count` returns the number of tokens of each given text."""
    pieces = [span for span in _iter_spans(_PARAGRAPH, text, 0) if text[slice(*span)].strip()]
    whole = sum(count([text[slice(*span)] for span in pieces]))
    if whole <= WHOLE_TOKENS:
        return [(pieces[0][0], pieces[-1][1])] if pieces else []
    # Cut small enough to make chunks of about the same length: a last one of three words says nothing.
    even = whole / -(-whole // HALF_TOKENS)
    halves = list(_pack_neighbours(list(_split_until_small(text, pieces, count, even, _FINER)), even))
    return [(start, end) for (start, _), (_, end) in pairwise(halves)]


def _iter_spans(pattern: re.Pattern[str], text: str, offset: int) -> list[Span]:
    return [(offset + found.start(), offset + found.end()) for found in pattern.finditer(text)]


def _split_until_small(
    text: str, pieces: list[Span], count: CountTokens, most: float, finer: Sequence[re.Pattern[str]]
) -> Iterator[tuple[Span, int]]:
    """Yield spans with their token counts, splitting each until it fits."""
    for span, tokens in zip(pieces, count([text[slice(*span)] for span in pieces]), strict=True):
        if tokens <= most or not finer:
            yield span, tokens
        else:
            yield from _split_until_small(
                text, _iter_spans(finer[0], text[slice(*span)], span[0]), count, most, finer[1:]
            )


def _pack_neighbours(pieces: list[tuple[Span, int]], most: float) -> Iterator[Span]:
    """Yield spans merged with their neighbours until they are long enough."""
    begin, end, size = -1, -1, 0
    for (start, stop), tokens in pieces:
        # Over by half a piece is nearer to even than under by half of one.
        if begin >= 0 and size + tokens / 2 > most:
            yield begin, end
            begin, size = -1, 0
        begin = start if begin < 0 else begin
        end, size = stop, size + tokens
    if begin >= 0:
        yield begin, end
