"""An independent reader of access tokens: sqlite3 and libsodium, without this project.

Written from the docstrings of `llamora.crypto.access_tokens`. It opens the slot of a token in a copied
database and returns the keys in it: the realm keys of a token of the kind "away". Slots of the other kinds
contain none.
"""

import sqlite3
import struct
from contextlib import closing
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any

from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError

from tests.rotation.independent_reader import (
    CannotOpenError,
    additional_data,
    compute_keyed_hash,
    open_envelope,
    read_epoch,
    read_id,
    read_value,
)

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
# Epoch and name of the realm: its sealing key.
RealmKeys = dict[tuple[int, str], bytes]


def parse_token(text: str) -> tuple[bytes, bytes]:
    """Return the id and the secret of a token."""
    prefix, token_id, secret, check = text.split("_")
    digest = compute_keyed_hash(text.rpartition("_")[0].encode(), person="llamora.tokcheck")
    if prefix != "llamora" or decode(check, length=4) != int.from_bytes(digest[:4], "big") >> 2:
        raise CannotOpenError("no token, or a damaged one")
    return decode(token_id, length=16).to_bytes(16, "big"), decode(secret, length=32).to_bytes(32, "big")


def decode(text: str, *, length: int) -> int:
    """Return the number that letters stand for."""
    number = 0
    for letter in text:
        number = number << 5 | LETTERS.index(letter)
    if number >= 256**length:
        raise CannotOpenError("a number too large")
    return number


def read_terms(row: sqlite3.Row) -> dict[str, bytes]:
    """Return what a slot is bound to."""
    moment = datetime.fromisoformat(read_value(row, "created_at", str)).replace(tzinfo=UTC)
    return {
        "kind": read_value(row, "kind", str).encode(),
        "scopes": " ".join(sorted(read_value(row, "scopes", str).split())).encode(),
        "created_at": struct.pack(">Q", int(moment.timestamp())),
        "lifetime_days": struct.pack(">I", read_value(row, "lifetime_days", int)),
        "created_epoch": struct.pack(">I", read_value(row, "created_epoch", int)),
        "writes_own_text": bytes([read_value(row, "writes_own_text", int)]),
        "reads_untrusted": bytes([read_value(row, "reads_untrusted", int)]),
        "public_key": read_value(row, "public_key", bytes),
    }


def open_token(database: Path, text: str) -> RealmKeys:
    """Return the keys in a token's slot; raise CannotOpenError if the slot is not authentic."""
    token_id, secret = parse_token(text)
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as rows:
        rows.row_factory = sqlite3.Row
        row = rows.execute("SELECT * FROM accounts_accesstoken WHERE id = ?", [token_id.hex()]).fetchone()
    if row is None:
        raise CannotOpenError("no such token")
    owner, bound, box = read_id(row, "owner_id"), read_terms(row), read_value(row, "box", bytes)
    context: dict[str, Any] = {"row": token_id, "owner": owner, "purpose": "token", "bound": bound}
    opened = open_envelope(
        read_value(row, "sealed_private", bytes),
        key=compute_keyed_hash(token_id, key=secret, person="llamora.token"),
        label="token.private",
        **context,
    )
    authenticator, private = opened[:32], opened[32:]
    said = additional_data(epoch=read_epoch(row), label="token.mac", **context)
    said += struct.pack(">I", len(box)) + box
    made = compute_keyed_hash(said, key=authenticator, person="llamora.tokmac")
    if not compare_digest(made, read_value(row, "mac", bytes)):
        raise CannotOpenError("a planted box")
    head = struct.pack(">B16s16sI", 1, owner, token_id, read_epoch(row))
    if bound["kind"] != b"away":
        if box and not box.startswith(head):
            raise CannotOpenError("another slot's box")
        return {}
    return open_box(box, private=private, public=bound["public_key"], head=head)


def open_box(box: bytes, *, private: bytes, public: bytes, head: bytes) -> RealmKeys:
    """Return the sealing keys in the box of a token of the kind "away"."""
    if crypto_scalarmult_base(private) != public:
        raise CannotOpenError("a planted key")
    try:
        inside = crypto_box_seal_open(box, public, private)
    except CryptoError:
        raise CannotOpenError("a damaged box") from None
    if not inside.startswith(head):
        raise CannotOpenError("another slot's box")
    (count,), at, found = struct.unpack_from(">H", inside, len(head)), len(head) + 2, {}
    for _ in range(count):
        epoch, length = struct.unpack_from(">IB", inside, at)
        name = inside[at + 5 : at + 5 + length].decode("ascii")
        at += 5 + length
        found[epoch, name] = inside[at : at + 32]
        at += 96
    return found
