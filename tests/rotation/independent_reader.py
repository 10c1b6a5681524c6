"""An independent reader of the database: sqlite3, libsodium and Argon2, without this project.

Written from what is documented: README "Keys", and the docstrings of `llamora.crypto` (context, envelope,
padding, kdf, recovery, slots, subkeys) and `llamora.fields`. If this file can open a diary, so can anybody
with the database, a secret and an afternoon.

    python independent_reader.py DATABASE NAME < secret      (a password, or a recovery code)

prints one JSON object: {"epoch": 1, "entries": [{"day": ..., "text": ...}], "drafts": [], "replies": []}
"""

import json
import sqlite3
import struct
import sys
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_box_seal_open,
    crypto_scalarmult_base,
)

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Table, label of its text, plaintext columns to show, and the bound columns: label to column and type.
TEXTS: dict[str, tuple[str, str, tuple[str, ...], dict[str, tuple[str, str]]]] = {
    "entries": ("diary_entry", "diary.entry.text", ("day",), {"diary.entry.day": ("day", "d")}),
    "drafts": ("diary_draft", "diary.draft.text", ("day",), {"diary.draft.day": ("day", "d")}),
    "replies": (
        "diary_reply",
        "diary.reply.text",
        ("kind",),
        {"diary.reply.entry": ("entry_id", "u"), "diary.reply.kind": ("kind", "s")},
    ),
}


class CannotOpenError(Exception):
    """Raised if the secret does not open the diary, or the diary is not authentic."""


def compute_keyed_hash(data: bytes, *, key: bytes = b"", person: str) -> bytes:
    """Return a keyed BLAKE2b hash of 32 bytes with a personalisation."""
    return blake2b(data, key=key, digest_size=32, person=person.encode()).digest()


# --- Envelopes ----------------------------------------------------------------------------------


def prefix_length(data: bytes) -> bytes:
    """Return the data after its length as u16."""
    return struct.pack(">H", len(data)) + data


def additional_data(
    *, epoch: int, row: bytes, owner: bytes, purpose: str, label: str, bound: dict[str, bytes]
) -> bytes:
    """Return the additional authenticated data of an envelope of format 1."""
    encoded = b"\1llamora context v1\n" + struct.pack(">I16s16s", epoch, row, owner)
    encoded += prefix_length(purpose.encode()) + prefix_length(label.encode()) + struct.pack(">H", len(bound))
    for name, value in sorted((name.encode(), value) for name, value in bound.items()):
        encoded += prefix_length(name) + struct.pack(">I", len(value)) + value
    return encoded


def get_epoch(envelope: bytes) -> int:
    """Return the epoch in bytes 1 to 4 of an envelope."""
    return int.from_bytes(envelope[1:5], "big")


def open_envelope(envelope: bytes, *, key: bytes, **context: Any) -> bytes:
    """Return the plaintext of an envelope of format 1, without its padding."""
    if envelope[0] != 1:
        raise CannotOpenError("unknown format")
    aad = additional_data(epoch=get_epoch(envelope), **context)
    padded = crypto_aead_xchacha20poly1305_ietf_decrypt(envelope[29:], aad, envelope[5:29], key)
    (length,) = struct.unpack_from(">I", padded)
    return padded[4 : 4 + length]


# --- Secrets ------------------------------------------------------------------------------------


def parse_recovery_code(text: str) -> str | None:
    """Return the secret of a typed recovery code, or None if it is invalid."""
    typed = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    typed = typed.translate(str.maketrans("OIL", "011"))
    if len(typed) != 36 or not set(typed) <= set(BASE32):
        return None
    digest = compute_keyed_hash(typed[:32].encode(), person="llamora.recovery")
    bits = int.from_bytes(digest[:4], "big") >> 12
    check = "".join(BASE32[bits >> at & 31] for at in (15, 10, 5, 0))
    return typed[:32] if check == typed[32:] else None


def derive_key(secret: str, slot: sqlite3.Row) -> bytes:
    """Return the key-encrypting key."""
    return hash_secret_raw(
        secret=unicodedata.normalize("NFKC", secret).encode(),
        salt=slot["salt"],
        time_cost=slot["time"],
        memory_cost=slot["memory_kib"],
        parallelism=slot["lanes"],
        hash_len=32,
        type=Type.ID,
    )


def open_data_key(slot: sqlite3.Row, *, secret: str, epoch: int) -> bytes:
    """Return the data key in a slot, after checking that the slot is authentic."""
    owner, row, kind = bytes.fromhex(slot["owner_id"]), bytes.fromhex(slot["id"]), slot["kind"].encode()
    try:
        opened = open_envelope(
            slot["sealed_private"],
            key=derive_key(secret, slot),
            row=row,
            owner=owner,
            purpose="slot",
            label="slot.private",
            bound={"kind": kind},
        )
    except Exception:
        raise CannotOpenError("wrong secret") from None
    private, authenticator = opened[:32], opened[32:]
    head = struct.pack(">16s16sI", owner, row, slot["epoch"])
    box = slot["box"]
    made = head + slot["public_key"] + prefix_length(kind) + struct.pack(">I", len(box)) + box
    if not compare_digest(
        compute_keyed_hash(made, key=authenticator, person="llamora.slot.mac"), slot["mac"]
    ):
        raise CannotOpenError("planted box")
    if crypto_scalarmult_base(private) != slot["public_key"]:
        raise CannotOpenError("planted key")
    inside = crypto_box_seal_open(box, slot["public_key"], private)
    if inside[:-32] != b"\1" + head or slot["epoch"] != epoch:
        raise CannotOpenError("another slot's, or another epoch's")
    return inside[-32:]


# --- A diary ------------------------------------------------------------------------------------


class Diary:
    """A person's rows, and the keys that open them."""

    def __init__(self, database: Path, *, name: str, secret: str) -> None:
        self.rows = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        self.rows.row_factory = sqlite3.Row
        self.owner = self._one("SELECT id FROM accounts_person WHERE name = ?", name)["id"]
        vault = self._one("SELECT * FROM accounts_vault WHERE owner_id = ?", self.owner)
        self.epoch = int(vault["epoch"])
        self.content = {self.epoch: self._subkey(self._data_key(secret))}
        for former in self._all("accounts_formerkey"):
            bound = {"accounts.former_key.epoch": b"i:%d" % former["epoch"]}
            key = self._field(former, "data_key", label="accounts.former_key.data_key", bound=bound)
            self.content[former["epoch"]] = self._subkey(key)

    def texts(self, kind: str) -> Iterator[dict[str, str]]:
        """Yield every text of a kind, with its readable columns."""
        table, label, shown, bound_columns = TEXTS[kind]
        for row in self._all(table):
            bound = {
                name: encode_bound_value(row[column], tag) for name, (column, tag) in bound_columns.items()
            }
            text = self._field(row, "text", label=label, bound=bound)
            yield {**{column: row[column] for column in shown}, "text": text.decode()}

    def _data_key(self, secret: str) -> bytes:
        code = parse_recovery_code(secret)
        tried = {"recovery": code, "password": secret}
        refused = "no slot"
        for slot in self._all("accounts_keyslot"):
            if (typed := tried.get(slot["kind"])) is None:
                continue
            try:
                return open_data_key(slot, secret=typed, epoch=self.epoch)
            except CannotOpenError as error:
                refused = str(error)
        raise CannotOpenError(refused)

    def _field(self, row: sqlite3.Row, column: str, *, label: str, bound: dict[str, bytes]) -> bytes:
        envelope = row[column]
        return open_envelope(
            envelope,
            key=self.content[get_epoch(envelope)],
            row=bytes.fromhex(row["id"]),
            owner=bytes.fromhex(self.owner),
            purpose="field",
            label=label,
            bound=bound,
        )

    def _subkey(self, data_key: bytes) -> bytes:
        return compute_keyed_hash(b"", key=data_key, person="llamora.content")

    def _one(self, statement: str, value: str) -> sqlite3.Row:
        found = self.rows.execute(statement, [value]).fetchone()
        if found is None:
            raise CannotOpenError("nobody of that name")
        return found  # type: ignore[no-any-return]  # sqlite3 is loosely typed

    def _all(self, table: str) -> list[sqlite3.Row]:
        statement = f"SELECT * FROM {table} WHERE owner_id = ? ORDER BY id"
        return self.rows.execute(statement, [self.owner]).fetchall()


def encode_bound_value(stored: str, tag: str) -> bytes:
    """Return the authenticated form of a bound column: a letter for its type, then its value."""
    return tag.encode() + b":" + (bytes.fromhex(stored) if tag == "u" else stored.encode())


def main() -> None:
    """Print a decrypted diary."""
    secret = sys.stdin.readline().rstrip("\n")
    try:
        diary = Diary(Path(sys.argv[1]), name=sys.argv[2], secret=secret)
        texts = {kind: list(diary.texts(kind)) for kind in TEXTS}
    except CannotOpenError as error:
        sys.exit(f"cannot open: {error}")
    print(json.dumps({"epoch": diary.epoch, **texts}))


if __name__ == "__main__":
    main()
