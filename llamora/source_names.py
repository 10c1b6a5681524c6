"""Names that came with a text from elsewhere: of programs, files, apps and labels. Pure.

Whoever sent the text chose its name, so a name is no more than one short line. What a reader would not see is
left out: control characters, marks that turn the direction of writing around, and other characters without a
shape. Joiners stay, because they shape words and join several emoji into one.
"""

import unicodedata
from typing import Final

MAX_SOURCE_NAME: Final = 80
_ELLIPSIS: Final = "…"
# More is not looked at: a name may be as long as a file.
_MAX_READ: Final = 1024
_JOINERS: Final = "\u200c\u200d"
# Controls, other characters without a shape, and halves of characters.
_LEFT_OUT: Final = ("Cc", "Cf", "Cs")


def clean_source_name(name: str) -> str:
    """Return a name as one line of at most 80 characters; empty if nothing of it can be seen."""
    spaced = " ".join(name[:_MAX_READ].split())
    visible = "".join(one for one in spaced if one in _JOINERS or unicodedata.category(one) not in _LEFT_OUT)
    line = " ".join(visible.split())
    if not line.strip(_JOINERS + " "):
        return ""
    return line if len(line) <= MAX_SOURCE_NAME else line[: MAX_SOURCE_NAME - 1].rstrip() + _ELLIPSIS
