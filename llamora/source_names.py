"""Names of the sources of texts, such as programs, files and apps, reduced to one short line. Pure.

The sender of a text chooses the name. Invisible characters are removed:
control characters, direction marks and others. Joiners remain, because some scripts and emoji need them.
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
    """Return a name as one line of at most 80 characters, or "" if nothing visible remains."""
    spaced = " ".join(name[:_MAX_READ].split())
    visible = "".join(one for one in spaced if one in _JOINERS or unicodedata.category(one) not in _LEFT_OUT)
    line = " ".join(visible.split())
    if not line.strip(_JOINERS + " "):
        return ""
    return line if len(line) <= MAX_SOURCE_NAME else line[: MAX_SOURCE_NAME - 1].rstrip() + _ELLIPSIS
