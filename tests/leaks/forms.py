"""The forms in which words can lie about: encodings that a program applies without a second thought.

What is looked for is the core of a marker, lower-case letters and digits, which HTML, JSON and URLs leave as
they are; the tail behind it is there so that what is escaped really passes through an escaping.
"""

import base64
import html
import json
import secrets
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

TAIL = " é&雨"


def new_marker() -> str:
    """Words that stand nowhere else in the world."""
    return f"marrow{secrets.token_hex(6)}{TAIL}"


def core_of(marker: str) -> str:
    """The part that no escaping changes."""
    return marker.removesuffix(TAIL)


def said_by(marker: str, where: str) -> str:
    """The marker as one place writes it: all of them are found by the same core."""
    return f"{core_of(marker)}-{where}{TAIL}"


def forms_of(marker: str) -> dict[str, bytes]:
    """Every form to look for, by its name."""
    core = core_of(marker)
    return {
        "UTF-8": core.encode(),
        "UTF-16LE": core.encode("utf-16-le"),
        "UTF-16BE": core.encode("utf-16-be"),
        "hexadecimal": core.encode().hex().encode(),
        "escape of every character": "".join(f"\\u{ord(letter):04x}" for letter in core).encode(),
        "percent of every character": "".join(f"%{byte:02X}" for byte in core.encode()).encode(),
        **dict(_base64_forms("base64 of UTF-8", core.encode())),
        **dict(_base64_forms("base64 of UTF-16LE", core.encode("utf-16-le"))),
    }


def _base64_forms(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is the same whatever stands around it, for each of the three places it can begin at."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + data)
        first = (offset * 8 + 5) // 6
        last = (offset + len(data)) * 8 // 6
        yield f"{name} at offset {offset}", whole[first:last]


def written_as(marker: str) -> dict[str, bytes]:
    """What programs make of a marker: for proving that each form is found."""
    text = f"before {marker} after"
    return {
        "UTF-8": text.encode(),
        "UTF-16LE": text.encode("utf-16-le"),
        "UTF-16BE": text.encode("utf-16-be"),
        "hexadecimal": text.encode().hex().encode(),
        "URL-encoded": quote(text).encode(),
        "form-encoded": quote_plus(text).encode(),
        "percent of every character": "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
        "escape of every character": "".join(f"\\u{ord(letter):04X}" for letter in text).encode(),
        "JSON-escaped": json.dumps({"text": text}).encode(),
        "HTML-escaped": html.escape(text).encode(),
        **{f"base64 at {n}": base64.b64encode(b"x" * n + text.encode()) for n in range(3)},
        **{f"base64url at {n}": base64.urlsafe_b64encode(b"x" * n + text.encode()) for n in range(3)},
        **{
            f"base64 of UTF-16LE at {n}": base64.b64encode(b"x" * n + text.encode("utf-16-le"))
            for n in range(3)
        },
    }
