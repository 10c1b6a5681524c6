"""Front matter: the lines between two `---` at the top of a Markdown file. Pure.

Only the part of YAML that skills use is parsed: `key: value` at the left margin, values in single or double
quotes, and indented lines after `|` or `>`. Other lines are ignored. A block without an end is not front
matter but text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_MARK: Final = "---"
# More is not looked at.
_MAX_LINES: Final = 200
_KEY_LINE: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,63}):(?:[ \t](.*))?\Z", re.ASCII)
_ESCAPES: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


@dataclass(frozen=True)
class FrontMatter:
    """The values at the top of a text, and the text below them."""

    values: dict[str, str] = field(repr=False)
    body: str = field(repr=False)


def split_front_matter(text: str) -> FrontMatter:
    """Split a text into the values of its front matter, and the body below.

    Without front matter there are no values, and the body is the whole text.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].rstrip() != _MARK:
        return FrontMatter({}, text)
    for number, line in enumerate(lines[1 : _MAX_LINES + 1], start=1):
        if line.rstrip() == _MARK:
            values = _parse([one.rstrip("\r\n") for one in lines[1:number]])
            return FrontMatter(values, "".join(lines[number + 1 :]))
    return FrontMatter({}, text)


def _parse(lines: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    at = 0
    while at < len(lines):
        match = _KEY_LINE.match(lines[at])
        at += 1
        if match is None:
            continue
        key, value = match[1].lower(), (match[2] or "").strip()
        block = []
        while at < len(lines) and (not lines[at].strip() or lines[at][0] in " \t"):
            block.append(lines[at].strip())
            at += 1
        if value[:1] in ("|", ">"):
            value = ("\n" if value[0] == "|" else " ").join(block).strip()
        elif block and not value.startswith(("[", "{", '"', "'")):
            # A plain value goes on in indented lines; a list or a mapping below a key is not read.
            value = " ".join([value, *block]).strip() if value else ""
        values.setdefault(key, _unquote(value))
    return values


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), value[1:-1])
    # A comment begins with a number sign after a blank.
    return value.split(" #", 1)[0].rstrip()
