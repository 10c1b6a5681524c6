"""The signature of an entry in an export, by which its own diary knows the entry again. Pure.

    hexadecimal of keyed_digest(digest key of the diary,
                                "diary.export.entry" | id | day | origin | text)

Only the diary that made an export can sign it, so that an entry comes back with the origin it had: what its
owner wrote is theirs. A changed text, day or origin, another diary's export, and any other file have no valid
signature; their entries are imported ones.
"""

from hmac import compare_digest
from typing import Any, Final

from llamora.crypto import keyed_digest

SIGNATURE_KEY: Final = "signature"
_LABEL: Final = b"diary.export.entry"
_SIGNED: Final = ("id", "day", "origin", "text")


def sign_row(row: dict[str, Any], key: bytes) -> str | None:
    """Return the signature of the exported row of an entry; None if its text is damaged."""
    values = [row.get(name) for name in _SIGNED]
    if not all(isinstance(value, str) for value in values):
        return None
    parts = [str(value).encode("utf-8", "surrogatepass") for value in values]
    return keyed_digest(key, [_LABEL, *parts]).hex()


def is_signed(row: dict[str, Any], key: bytes) -> bool:
    """Return whether the diary with this key exported the row of an entry, and it is unchanged."""
    signature, expected = row.get(SIGNATURE_KEY), sign_row(row, key)
    return (
        isinstance(signature, str)
        and expected is not None
        and compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())
    )
