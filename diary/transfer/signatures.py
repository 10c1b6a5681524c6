"""The signature of a row in an export, by which the diary that made the export recognises it. Pure.

    hexadecimal of keyed_digest(digest key of the diary, label | the row without its signature)

    label   "diary.export.row" for an entry, "diary.export.draft" for a draft; other apps have their own

The row is JSON in UTF-8, with sorted keys and without white space between values.

Only the diary that made an export can sign it. So an entry of its own export comes back with its origin: what
its owner wrote stays theirs. The whole row is signed, since its versions, traces and provenance count as its
owner's words too. A changed row, another diary's export, and any other file have no valid signature; their
entries are imported ones.
"""

import json
from hmac import compare_digest
from typing import Any, Final

from llamora.crypto import keyed_digest

SIGNATURE_KEY: Final = "signature"
ENTRY_LABEL: Final = b"diary.export.row"
DRAFT_LABEL: Final = b"diary.export.draft"


def sign_row(row: dict[str, Any], key: bytes, *, label: bytes = ENTRY_LABEL) -> str | None:
    """Return the signature of an exported row; None if its text is damaged."""
    # A row of a kind without a text has its words elsewhere, and says if they are damaged.
    if not isinstance(row.get("text", ""), str) or ("text" not in row and "damaged" in row):
        return None
    signed = {name: value for name, value in row.items() if name != SIGNATURE_KEY}
    try:
        encoded = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError):
        # Nothing that an export contains.
        return None
    return keyed_digest(key, [label, encoded.encode("utf-8", "surrogatepass")]).hex()


def is_signed(row: dict[str, Any], key: bytes, *, label: bytes = ENTRY_LABEL) -> bool:
    """Return whether the diary with this key signed the row, and the row is unchanged."""
    signature, expected = row.get(SIGNATURE_KEY), sign_row(row, key, label=label)
    return (
        isinstance(signature, str)
        and expected is not None
        and compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())
    )
