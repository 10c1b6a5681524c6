"""Excerpts of a text: its first lines without Markdown, and the passage around a span. Pure."""

import re

EXCERPT_LENGTH = 160

Span = tuple[int, int]

_FENCES = re.compile(r"^[ \t]*(?:```.*|~~~.*|-{3,}|\*{3,}|_{3,})$", re.MULTILINE)
_BLOCK_PREFIXES = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+)+", re.MULTILINE)
_LINKS = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_PAIRED_MARKS = re.compile(r"(\*\*|__|~~|`)(?=\S)(.+?)(?<=\S)\1")
_GAP = re.compile(r"\s+")
_EMPHASIS = re.compile(r"(?<!\w)([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?!\w)")


def get_first_words(text: str, *, length: int = EXCERPT_LENGTH) -> str:
    """Return the beginning of a text on one line, cut between words; an ellipsis marks a cut."""
    # Only this much is read, so that a long text costs no more than a short one.
    plain = _strip_markdown(text.lstrip()[: 4 * length])
    if len(plain) <= length:
        return plain if len(text.lstrip()) <= 4 * length else f"{plain}…"
    cut = plain[: length + 1]
    words = cut.rsplit(" ", 1)[0] if " " in cut[length // 2 :] else plain[:length]
    return f"{words.rstrip(' ,;:.–—-')}…"


def extract_passage(text: str, around: Span, *, length: int) -> str:
    """Return a passage of at most `length` characters with `around` in its middle, cut between words."""
    if len(text) <= length:
        return text
    start, end = around
    begin = max(0, min(start - max(0, length - (end - start)) // 2, len(text) - length))
    passage = text[begin : begin + length]
    # Unless the first word is all there is, before many empty lines.
    if begin and (gap := _GAP.search(passage, 0, length // 4)) and passage[gap.end() :].strip():
        passage = passage[gap.end() :]
    is_word_cut = begin + length < len(text) and not _GAP.search(text, begin + length - 1, begin + length + 1)
    if is_word_cut and _GAP.search(passage, len(passage) * 3 // 4):
        passage = passage.rsplit(maxsplit=1)[0]
    return passage.strip()


def _strip_markdown(text: str) -> str:
    text = _BLOCK_PREFIXES.sub("", _FENCES.sub("", text))
    text = _LINKS.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", _PAIRED_MARKS.sub(r"\2", text))
    return " ".join(text.split())
