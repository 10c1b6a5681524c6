"""The encodings in which a sweep searches for a marker.

It searches for the core of a marker: lower-case letters and digits, which HTML, JSON and URLs leave
unchanged. The tail after the core contains characters that are escaped.
"""

import base64
import html
import json
import secrets
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

TAIL = " é&雨"


def new_marker() -> str:
    """Return a unique text."""
    return f"marrow{secrets.token_hex(6)}{TAIL}"


def get_core(marker: str) -> str:
    """Return the part of a marker that no escaping changes."""
    return marker.removesuffix(TAIL)


def build_marker_for(marker: str, where: str) -> str:
    """Return the marker for one place; all variants contain the same core."""
    return f"{get_core(marker)}-{where}{TAIL}"


def list_encoded_forms(marker: str) -> dict[str, bytes]:
    """Return all encodings of a marker's core, by name."""
    core = get_core(marker)
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
    """Yield the constant parts of the base64 encodings at the three possible offsets."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + data)
        first = (offset * 8 + 5) // 6
        last = (offset + len(data)) * 8 // 6
        yield f"{name} at offset {offset}", whole[first:last]


def build_samples(marker: str) -> dict[str, bytes]:
    """Return samples of a marker in all encodings, for testing the sweep."""
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
