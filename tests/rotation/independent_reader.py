"""An independent reader of the database: sqlite3, libsodium and Argon2, without this project.

Written from the documentation: README "Keys", and the docstrings of `llamora.crypto` (context, envelope,
keyring, padding, kdf, realms, recovery, slots, subkeys), of `llamora.fields` and of `accounts.keys`
(former_keys, slot_list, vault_state). It proves that anybody with the database and a secret can open a diary
without this project. It opens format 2, and format 1 in diaries that still have it.

    python independent_reader.py DATABASE NAME < secret      (a password, or a recovery code)

prints one JSON object: {"epoch": 1, "entries": [{"day": ..., "text": ...}], "drafts": [], "replies": [],
"traces": [{"name": ..., "entries": [id]}]}
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
from typing import Any, TypeVar

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_box_seal_open,
    crypto_scalarmult_base,
)
from nacl.exceptions import CryptoError

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Label of a bound value: its column and the letter of its type.
Bound = dict[str, tuple[str, str]]
_T = TypeVar("_T", str, bytes, int)
_DRAFT: Bound = {
    "diary.draft.day": ("day", "d"),
    "diary.draft.entry": ("entry_id", "u"),
    "diary.draft.based_on": ("based_on", "i"),
    "diary.draft.revision": ("revision", "i"),
}
_ENTRY: Bound = {
    "diary.entry.day": ("day", "d"),
    "diary.entry.revision": ("revision", "i"),
    "diary.entry.origin": ("origin", "s"),
    "diary.entry.utc_offset": ("utc_offset", "i"),
}
_REPLY: Bound = {"diary.reply.entry": ("entry_id", "u"), "diary.reply.kind": ("kind", "s")}
# Table, label of its text, plaintext columns to show, and the bound columns in format 1 and in format 2.
TEXTS: dict[str, tuple[str, str, tuple[str, ...], Bound, Bound]] = {
    "entries": ("diary_entry", "diary.entry.text", ("day",), {"diary.entry.day": ("day", "d")}, _ENTRY),
    "drafts": ("diary_draft", "diary.draft.text", ("day",), {"diary.draft.day": ("day", "d")}, _DRAFT),
    "replies": ("diary_reply", "diary.reply.text", ("kind",), _REPLY, _REPLY),
}
# Codes of plaintext columns: table, label, bound columns.
CODES: dict[str, tuple[str, Bound]] = {
    "diary_entry": (
        "diary.entry.mac",
        {"diary.entry.deleted_at": ("deleted_at", "t"), "diary.entry.created_at": ("created_at", "t")},
    ),
    "traces_trace": (
        "traces.trace.mac",
        {"traces.trace.deleted_at": ("deleted_at", "t"), "traces.trace.created_at": ("created_at", "t")},
    ),
    "traces_kepttrace": (
        "traces.entry_trace.mac",
        {"traces.entry_trace.trace": ("trace_id", "u"), "traces.entry_trace.entry": ("entry_id", "u")},
    ),
}


TRACES: Bound = {
    "traces.trace.name_index": ("name_index", "b"),
    "traces.trace.is_read_always": ("is_read_always", "i"),
}


class CannotOpenError(Exception):
    """Raised if the secret does not open the diary, or the diary is not authentic."""


def read_value(row: sqlite3.Row, column: str, kind: type[_T]) -> _T:
    """Return a value of a row, which SQLite lets be of any type and the file's owner may have changed."""
    value = row[column] if column in row.keys() else None  # noqa: SIM118 - of a row, `in` looks at values
    if not isinstance(value, kind):
        raise CannotOpenError(f"the column {column} has a value of another type")
    return value


def read_id(row: sqlite3.Row, column: str) -> bytes:
    """Return the 16 bytes of an id, which is stored as hexadecimal digits."""
    return parse_id(read_value(row, column, str))


def parse_id(stored: str) -> bytes:
    """Return the 16 bytes of hexadecimal digits."""
    if len(stored) != 32 or set(stored) - set("0123456789abcdef"):
        raise CannotOpenError("an id that is none")
    return bytes.fromhex(stored)


def read_epoch(row: sqlite3.Row) -> int:
    """Return the epoch of a row."""
    epoch = read_value(row, "epoch", int)
    if not 0 < epoch < 2**32:
        raise CannotOpenError("an epoch that is none")
    return epoch


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
    """Return the additional authenticated data of an envelope, without the format byte before it."""
    encoded = b"llamora context v1\n" + struct.pack(">I16s16s", epoch, row, owner)
    encoded += prefix_length(purpose.encode()) + prefix_length(label.encode()) + struct.pack(">H", len(bound))
    for name, value in sorted((name.encode(), value) for name, value in bound.items()):
        encoded += prefix_length(name) + struct.pack(">I", len(value)) + value
    return encoded


def get_epoch(envelope: bytes) -> int:
    """Return the epoch in bytes 1 to 4 of an envelope."""
    return int.from_bytes(envelope[1:5], "big")


def open_envelope(envelope: bytes, *, key: bytes, **context: Any) -> bytes:
    """Return the plaintext of an envelope, without its padding."""
    if envelope[:1] not in (b"\1", b"\2"):
        raise CannotOpenError("unknown format")
    if len(envelope) < 109:
        raise CannotOpenError("cut short")
    aad = envelope[:1] + additional_data(epoch=get_epoch(envelope), **context)
    try:
        padded = crypto_aead_xchacha20poly1305_ietf_decrypt(envelope[29:], aad, envelope[5:29], key)
    except CryptoError:
        raise CannotOpenError("changed, or moved to another row or column") from None
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
        salt=read_value(slot, "salt", bytes),
        time_cost=read_value(slot, "time", int),
        memory_cost=read_value(slot, "memory_kib", int),
        parallelism=read_value(slot, "lanes", int),
        hash_len=32,
        type=Type.ID,
    )


def open_data_key(slot: sqlite3.Row, *, secret: str, epoch: int) -> bytes:
    """Return the data key in a slot, after checking that the slot is authentic."""
    owner, row, kind = read_id(slot, "owner_id"), read_id(slot, "id"), read_value(slot, "kind", str).encode()
    public_key, box, mac = (read_value(slot, name, bytes) for name in ("public_key", "box", "mac"))
    try:
        key = derive_key(secret, slot)
    except (HashingError, ValueError, OverflowError, MemoryError):
        raise CannotOpenError("a cost or salt that Argon2 does not take") from None
    try:
        opened = open_envelope(
            read_value(slot, "sealed_private", bytes),
            key=key,
            row=row,
            owner=owner,
            purpose="slot",
            label="slot.private",
            bound={"kind": kind},
        )
    except CannotOpenError:
        raise CannotOpenError("wrong secret") from None
    private, authenticator = opened[:32], opened[32:]
    head = struct.pack(">16s16sI", owner, row, read_epoch(slot))
    made = head + public_key + prefix_length(kind) + struct.pack(">I", len(box)) + box
    if not compare_digest(compute_keyed_hash(made, key=authenticator, person="llamora.slot.mac"), mac):
        raise CannotOpenError("planted box")
    if crypto_scalarmult_base(private) != public_key:
        raise CannotOpenError("planted key")
    inside = crypto_box_seal_open(box, public_key, private)
    if inside[:-32] != b"\1" + head or read_epoch(slot) != epoch:
        raise CannotOpenError("another slot's, or another epoch's")
    return inside[-32:]


# --- A diary ------------------------------------------------------------------------------------


class Diary:
    """A person's rows, and the keys that open them."""

    def __init__(self, database: Path, *, name: str, secret: str) -> None:
        self.rows = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        self.rows.row_factory = sqlite3.Row
        # Text that is not UTF-8 is no error of the database, but opens nothing.
        self.rows.text_factory = lambda stored: stored.decode("utf-8", "replace")
        self.owner = read_id(self._one("SELECT id FROM accounts_person WHERE name = ?", name), "id").hex()
        vault = self._one("SELECT * FROM accounts_vault WHERE owner_id = ?", self.owner)
        self.epoch = read_epoch(vault)
        # The first epoch of format 2; of a vault that is not moved yet, the next one.
        self.format_2_since = self.epoch + 1 if read_value(vault, "private_key", bytes)[:1] == b"\1" else 1
        slot_id, data_key = self._open_slot(secret)
        self._data_keys, finished = {self.epoch: data_key}, 0
        listed = json.loads(self.open_field(vault, "ways_in", label="accounts.vault.ways_in"))
        ids = listed if isinstance(listed, list) else [slot["id"] for slot in listed["slots"]]
        if slot_id not in ids:
            raise CannotOpenError("the list of slots does not name it")
        if self.format_2_since == 1:
            state = json.loads(self.open_field(vault, "state", label="accounts.vault.state"))
            self.format_2_since, finished = state["format_2_since"], state["finished"]
        # A row of an epoch that is finished was put there by somebody else.
        for former in self._all("accounts_formerkey"):
            if finished <= read_epoch(former) < self.epoch:
                self._data_keys[read_epoch(former)] = self._open_former_key(former, database)

    def _open_former_key(self, row: sqlite3.Row, database: Path) -> bytes:
        bound: Bound = {"accounts.former_key.epoch": ("epoch", "i")}
        stored = self.open_field(row, "data_key", label="accounts.former_key.data_key", bound=bound)
        if len(stored) == 32:
            return stored  # left by a version before format 2
        owner, file = (
            bytes.fromhex(self.owner),
            database.parent / "former_keys" / f"{self.owner}-{row['epoch']}",
        )
        if not file.exists():
            raise CannotOpenError("the file of a former key is gone")
        if get_epoch(stored) != row["epoch"]:
            raise CannotOpenError("a former key of another epoch")
        return open_envelope(
            stored,
            key=file.read_bytes(),
            row=owner,
            owner=owner,
            purpose="former_key",
            label="accounts.former_key.wrapped",
            bound={},
        )

    def texts(self, kind: str) -> Iterator[dict[str, str]]:
        """Yield every text of a kind, with its readable columns."""
        table, label, shown, bound_in_format_1, bound = TEXTS[kind]
        for row in self._all(table):
            self.check_code(table, row)
            is_old = read_value(row, "text", bytes)[:1] == b"\1"
            text = self.open_field(row, "text", label=label, bound=bound_in_format_1 if is_old else bound)
            yield {**{column: read_value(row, column, str) for column in shown}, "text": text.decode()}

    def traces(self) -> Iterator[dict[str, Any]]:
        """Yield every trace, with the ids of the entries that it is on."""
        names: dict[str, str] = {}
        for row in self._all("traces_trace"):
            self.check_code("traces_trace", row)
            bound = {} if read_value(row, "name", bytes)[:1] == b"\1" else TRACES
            opened = self.open_field(row, "name", label="traces.trace.name", bound=bound)
            names[row["id"]] = opened.decode()
        on: dict[str, list[str]] = {trace: [] for trace in names}
        for row in self._all("traces_kepttrace"):
            self.check_code("traces_kepttrace", row)
            trace = read_id(row, "trace_id").hex()
            if trace not in on:
                raise CannotOpenError("a trace that is not there")
            on[trace].append(read_id(row, "entry_id").hex())
        for trace, entries in on.items():
            yield {"name": names[trace], "entries": entries}

    def open_field(self, row: sqlite3.Row, column: str, *, label: str, bound: Bound | None = None) -> bytes:
        """Return the plaintext of a sealed column."""
        envelope = read_value(row, column, bytes)
        epoch = get_epoch(envelope)
        if envelope[:1] != (b"\2" if epoch >= self.format_2_since else b"\1"):
            raise CannotOpenError("a format that is not that of its epoch")
        return open_envelope(
            envelope, key=self._sealing_key(epoch, label), **self._context(row, label, bound)
        )

    def check_code(self, table: str, row: sqlite3.Row) -> None:
        """Check the code of the plaintext columns of a row."""
        if table not in CODES or self.epoch < self.format_2_since:
            return  # in format 1 there was none
        label, bound = CODES[table]
        if row["mac"] is None:
            raise CannotOpenError("no code of its columns")
        code, context = read_value(row, "mac", bytes), self._context(row, label, bound, purpose="columns")
        epoch = get_epoch(code)
        if code[:1] != b"\2" or epoch not in self._data_keys:
            raise CannotOpenError("no code of its columns")
        key = self._realm_key(epoch, label, person="llamora.columns")
        made = compute_keyed_hash(
            b"\2" + additional_data(epoch=epoch, **context), key=key, person="llamora.mac"
        )
        if not compare_digest(made, code[5:]):
            raise CannotOpenError("changed columns")

    def _context(
        self, row: sqlite3.Row, label: str, bound: Bound | None, *, purpose: str = "field"
    ) -> dict[str, Any]:
        values = {name: encode_bound_value(row, column, tag) for name, (column, tag) in (bound or {}).items()}
        # Numbered rows have no id of 16 bytes, and are known by what is bound.
        row_id = bytes(16) if isinstance(row["id"], int) else read_id(row, "id")
        owner = bytes.fromhex(self.owner)
        return {"row": row_id, "owner": owner, "purpose": purpose, "label": label, "bound": values}

    def _sealing_key(self, epoch: int, label: str) -> bytes:
        if epoch not in self._data_keys:
            raise CannotOpenError("an epoch whose key is not there")
        if epoch < self.format_2_since:
            return compute_keyed_hash(b"", key=self._data_keys[epoch], person="llamora.content")
        return self._realm_key(epoch, label, person="llamora.sealing")

    def _realm_key(self, epoch: int, label: str, *, person: str) -> bytes:
        is_of_vault = label.startswith(("accounts.", "search.recent."))
        realm = b"vault" if is_of_vault else b"content"
        return compute_keyed_hash(realm, key=self._data_keys[epoch], person=person)

    def _open_slot(self, secret: str) -> tuple[str, bytes]:
        """Return the id of the slot that the secret opens, and the data key in it."""
        code = parse_recovery_code(secret)
        tried = {"recovery": code, "password": secret}
        refused = "no slot"
        for slot in self._all("accounts_keyslot"):
            if (typed := tried.get(slot["kind"])) is None:
                continue
            try:
                return read_value(slot, "id", str), open_data_key(slot, secret=typed, epoch=self.epoch)
            except CannotOpenError as error:
                refused = str(error)
        raise CannotOpenError(refused)

    def _one(self, statement: str, value: str) -> sqlite3.Row:
        found = self.rows.execute(statement, [value]).fetchone()
        if found is None:
            raise CannotOpenError("nobody of that name")
        return found  # type: ignore[no-any-return]  # sqlite3 is loosely typed

    def _all(self, table: str) -> list[sqlite3.Row]:
        statement = f"SELECT * FROM {table} WHERE owner_id = ? ORDER BY id"
        return self.rows.execute(statement, [self.owner]).fetchall()


def encode_bound_value(row: sqlite3.Row, column: str, tag: str) -> bytes:
    """Return the authenticated form of a bound column: a letter for its type, then its value."""
    if row[column] is None:
        return b"n:"
    match tag:
        case "u":
            return b"u:" + read_id(row, column)
        case "i":
            return b"i:%d" % read_value(row, column, int)
        case "b":
            return b"b:" + read_value(row, column, bytes)
    stored = read_value(row, column, str)
    match tag:
        case "t":
            # Stored in UTC, with a space, without an offset, and with a fraction of up to six digits or none.
            date, _, time = stored.partition(" ")
            seconds, _, fraction = time.partition(".")
            return f"t:{date}T{seconds}.{fraction[:3].ljust(3, '0')}+00:00".encode()
    return tag.encode() + b":" + stored.encode()


def main() -> None:
    """Print a decrypted diary."""
    secret = sys.stdin.readline().rstrip("\n")
    try:
        diary = Diary(Path(sys.argv[1]), name=sys.argv[2], secret=secret)
        texts = {kind: list(diary.texts(kind)) for kind in TEXTS}
        traces = list(diary.traces())
    except CannotOpenError as error:
        sys.exit(f"cannot open: {error}")
    except sqlite3.Error:
        sys.exit("cannot open: this is no database of a household, or it is damaged")
    print(json.dumps({"epoch": diary.epoch, **texts, "traces": traces}))


if __name__ == "__main__":
    main()
