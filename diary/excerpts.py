"""The first words of a text, without the signs of Markdown, for margins and lists. Pure."""

import re

LENGTH = 160

_FENCES = re.compile(r"^[ \t]*(?:```.*|~~~.*|-{3,}|\*{3,}|_{3,})$", re.MULTILINE)
_BEGINNINGS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+)+", re.MULTILINE)
_LINKS = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKS = re.compile(r"(\*\*|__|~~|`)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<!\w)([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?!\w)")


def first_lines(text: str, *, length: int = LENGTH) -> str:
    """Return the beginning of a text on one line, cut between words, with an ellipsis where it was cut."""
    # What is looked at is bounded, so that a long text costs no more than a short one.
    plain = _plain(text.lstrip()[: 4 * length])
    if len(plain) <= length:
        return plain if len(text.lstrip()) <= 4 * length else f"{plain}…"
    cut = plain[: length + 1]
    words = cut.rsplit(" ", 1)[0] if " " in cut[length // 2 :] else plain[:length]
    return f"{words.rstrip(' ,;:.–—-')}…"


def _plain(text: str) -> str:
    text = _BEGINNINGS.sub("", _FENCES.sub("", text))
    text = _LINKS.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", _MARKS.sub(r"\2", text))
    return " ".join(text.split())
