"""Decryption of one sealed column in many rows, without model instances, for exports, lists and indexes.

Creating an instance, and converting the values of its row, takes longer than opening its envelope. So rows
are tuples of unconverted values, and the caller converts the values that it needs. The parts of the context
that all rows share are encoded once. Rows that were opened before, and have not changed since, need not be
opened again: see `OpenedRows`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final

import msgspec
from django.db.models import BinaryField, DateTimeField, Field, QuerySet, UUIDField
from django.db.models.sql.constants import MULTI

from llamora.crypto import (
    FORMAT_1,
    EnvelopeError,
    KeyId,
    Realm,
    RealmKeyring,
    RowContext,
    VaultLocked,
    WrongEpoch,
    encode_value,
    get_realm,
    newest_header,
)
from llamora.fields.models import mac_fields
from llamora.fields.sealed import NUMBERED, MacField, SealedField, encode_bound_value
from llamora.threads import let_others_run

StoredRow = tuple[Any, ...]
# Injective: texts, bytes, numbers and NULL are encoded with their type and length.
_encode_stored: Final = msgspec.msgpack.Encoder().encode
_Convert = Callable[[Any], Any]
_Encode = Callable[[Any], bytes]

_BATCH: Final = 500
_FORMAT_1_BYTE: Final = bytes([FORMAT_1])
_NOTHING: Final = encode_value(encode_bound_value(None))
_ID_BYTES: Final = 16
_BEFORE_ID: Final = encode_value(b"u:" + bytes(_ID_BYTES))[:-_ID_BYTES]
_MOMENT: Final = "2026-11-30 06:42:00.123456"
_MILLISECONDS: Final = len("2026-11-30 06:42:00.123")
_BEFORE_MOMENT: Final = encode_value(b"t:2026-11-30T06:42:00.123+00:00").partition(b"2026")[0]
# Texts of bound columns are mostly states and origins, of which there are few: each is encoded once.
_MAX_ENCODED: Final = 64
# What Python takes for an opened row besides the bytes of its parts: about so many bytes.
_ROW_OVERHEAD: Final = 340


class OpenedRows:
    """Cache of decrypted rows of one table; a row is found only if its stored values have not changed.

    A row is found if its envelope, its MACs and the columns that they cover are stored as exactly the same
    bytes as before. A row that was changed since, with or without a key, is not found, and is opened again.
    The rows are those of one realm's keys, and take at most `most_bytes` of memory; further rows are not
    added. The owner's lock calls `close`.
    """

    def __init__(self, key_id: KeyId, *, most_bytes: int) -> None:
        self._key_id, self._most = key_id, most_bytes
        self._lock = threading.Lock()
        self._rows: dict[Any, tuple[bytes, bytes]] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def size(self) -> int:
        """The memory that the rows take, in bytes, estimated."""
        return self._size

    def add(self, id_: Any, values: StoredRow, plaintext: bytes) -> None:
        """Add or replace a row, given its stored id and values, unless there is no room for it."""
        try:
            stored = _encode_stored(values)
        except UnicodeEncodeError:
            # Bytes that were stored as text, never by us: such a row is opened each time.
            return
        with self._lock:
            self._remove(id_)
            size = _ROW_OVERHEAD + len(stored) + len(plaintext)
            if self._size + size <= self._most:
                self._rows[id_] = stored, plaintext
                self._size += size

    def find(self, id_: Any, values: StoredRow) -> bytes | None:
        """Return the plaintext of a row, or None if it is not cached or its stored values have changed."""
        found = self._rows.get(id_)
        try:
            return found[1] if found is not None and found[0] == _encode_stored(values) else None
        except UnicodeEncodeError:
            return None

    def discard(self, id_: Any) -> None:
        """Remove a row from the cache, if it is there."""
        with self._lock:
            self._remove(id_)

    def close(self) -> None:
        """Remove all rows and accept no more. Readers that are still running find none from then on."""
        with self._lock:
            self._rows, self._size, self._most = {}, 0, 0

    def is_for(self, keyring: RealmKeyring, realm: Realm) -> bool:
        """Return whether the rows were opened with the current keys of a realm of this keyring."""
        return keyring.has_realm(realm) and keyring.get_key_id(realm) == self._key_id

    def _remove(self, id_: Any) -> None:
        found = self._rows.pop(id_, None)
        if found is not None:
            self._size -= _ROW_OVERHEAD + len(found[0]) + len(found[1])


class RowReader:
    """Reader of one owner's rows, which yields each row with the plaintext of its sealed column.

    `names` are the columns and annotations that the caller reads. Rows that are in `opened` are not opened
    again. With `accepts_lost_keys`, a row counts as damaged if the keyring lacks the key of its epoch.
    """

    def __init__(
        self,
        rows: "QuerySet[Any, Any]",
        column: str,
        names: Sequence[str],
        *,
        keyring: RealmKeyring,
        opened: OpenedRows | None = None,
        accepts_lost_keys: bool = False,
    ) -> None:
        self._keyring, self._accepts_lost_keys = keyring, accepts_lost_keys
        model: Any = rows.model
        self._field: SealedField = model._meta.get_field(column)
        macs = () if keyring.reads_columns_unchecked else mac_fields(model)
        needed = [name for field in (self._field, *macs) for name in ("id", *field.bound, field.attname)]
        self._names = list(dict.fromkeys([*names, *needed]))
        # The stored values that decide whether a row opens, and to what: two or more.
        self._get_covered = itemgetter(*map(self._names.index, dict.fromkeys(needed)))
        is_for = opened is not None and opened.is_for(keyring, get_realm(self._field.label))
        self._opened = opened if is_for else None
        self._compiler: Any = rows.values_list(*self._names).query.get_compiler(rows.db)
        self._compiler.setup_query()
        columns = [selected for selected, *_ in self._compiler.select[: self._compiler.col_count]]
        converters: Mapping[int, tuple[list[Callable[..., Any]], Any]]
        converters = self._compiler.get_converters(columns)
        self._converts: dict[str, _Convert] = {
            name: self._build_convert(*converters.get(place, ([], None)))
            for place, name in enumerate(self._names)
        }
        kinds = {name: selected.output_field for name, selected in zip(self._names, columns, strict=True)}
        self._id_place, self._is_numbered = self._names.index("id"), not isinstance(kinds["id"], UUIDField)
        self._macs = [_RowEnvelope(mac, self._names, kinds, self._converts, keyring) for mac in macs]
        self._sealed = _RowEnvelope(self._field, self._names, kinds, self._converts, keyring)

    def __iter__(self) -> Iterator[tuple[StoredRow, bytes | None]]:
        """Yield each row with its plaintext, or None if it is damaged.

        Without `accepts_lost_keys`, raise WrongEpoch if the keyring lacks the key of a row's epoch, as may
        happen during a rotation. Rows are read in batches; before each batch, waiting calls of this thread's
        pool run first. Raise VaultLocked at the next row once the keyring is closed.
        """
        keyring, field, sealed, macs = self._keyring, self._field, self._sealed, self._macs
        get_id, get_covered, id_place = self._get_id, self._get_covered, self._id_place
        find_opened = self._opened.find if self._opened is not None else None
        for batch in self._compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=_BATCH):
            let_others_run()
            for row in batch:
                if find_opened is not None:
                    if keyring.is_closed:
                        raise VaultLocked
                    plaintext = find_opened(row[id_place], get_covered(row))
                    if plaintext is not None:
                        yield row, plaintext
                        continue
                id_ = get_id(row)
                try:
                    for mac in macs:
                        MacField.check_mac(keyring, mac.get_bytes(row), mac.set_row(id_, row))
                    envelope = sealed.get_bytes(row)
                    if envelope[:1] == _FORMAT_1_BYTE:
                        yield row, field.unseal(keyring, envelope, self._convert_row(row))
                    else:
                        yield row, field.unseal_in(keyring, envelope, sealed.set_row(id_, row))
                except EnvelopeError as error:
                    if isinstance(error, WrongEpoch) and not self._accepts_lost_keys:
                        raise
                    yield row, None

    def add_opened(self, opened: OpenedRows, row: StoredRow, plaintext: bytes) -> None:
        """Add a row with its plaintext to `opened`, if the row is sealed with the current keys.

        A row of a former epoch is not added: another keyring of the same realm may lack its key.
        """
        header = newest_header(self._keyring.epoch)
        if all(part.get_bytes(row).startswith(header) for part in (self._sealed, *self._macs)):
            opened.add(row[self._id_place], self._get_covered(row), plaintext)

    def build_picker(self, names: Sequence[str]) -> Callable[[StoredRow], tuple[Any, ...]]:
        """Return a function that returns the unconverted values of two or more columns of a row."""
        return itemgetter(*map(self._names.index, names))

    def convert(self, name: str, stored: Any) -> Any:
        """Convert a stored value of a column or annotation, as a queryset would."""
        return self._converts[name](stored)

    def build_converter(self, names: Sequence[str]) -> Callable[[StoredRow], list[Any]]:
        """Return a function that returns the values of some columns of a row, converted as by a queryset."""
        places = [(self._names.index(name), self._converts[name]) for name in names]
        return lambda row: [convert(row[place]) for place, convert in places]

    def _build_convert(self, converters: Sequence[Callable[..., Any]], expression: Any) -> _Convert:
        calls = [partial(_call_converter, each, expression, self._compiler.connection) for each in converters]
        if len(calls) == 1:
            return calls[0]

        def convert(value: Any) -> Any:
            for call in calls:
                value = call(value)
            return value

        return convert

    def _get_id(self, row: StoredRow) -> bytes:
        """Return the bytes of the id to which the envelopes of a row are bound."""
        if self._is_numbered:
            return NUMBERED.bytes
        stored = row[self._id_place]
        plain = _parse_id(stored)
        id_: bytes = self._converts["id"](stored).bytes if plain is None else plain
        return id_

    def _convert_row(self, row: StoredRow) -> dict[str, Any]:
        values = (self._converts[name](value) for name, value in zip(self._names, row, strict=True))
        return {**dict(zip(self._names, values, strict=True)), "owner_id": self._keyring.owner}


def _call_converter(convert: Callable[..., Any], expression: Any, connection: Any, value: Any) -> Any:
    return convert(value, expression, connection)


class _RowEnvelope:
    """The envelope or MAC of the current row, with its context; reused for row after row."""

    def __init__(
        self,
        field: SealedField,
        names: Sequence[str],
        kinds: Mapping[str, "Field[Any, Any]"],
        converts: Mapping[str, _Convert],
        keyring: RealmKeyring,
    ) -> None:
        self._place, self._convert = names.index(field.attname), converts[field.attname]
        self._context = RowContext(
            purpose=field.purpose,
            label=field.label,
            owner=keyring.owner,
            names=tuple(field.bound.values()),
        )
        bound = tuple(field.bound)
        self._bound = [
            (names.index(bound[place]), _build_encoder(kinds[bound[place]], converts[bound[place]]))
            for place in self._context.order
        ]

    def get_bytes(self, row: StoredRow) -> bytes:
        """Return the envelope or the MAC; empty bytes if there is none."""
        stored = row[self._place]
        if type(stored) is bytes:
            return stored
        held = self._convert(stored)
        return held.envelope if held is not None else b""

    def set_row(self, id_: bytes, row: StoredRow) -> RowContext:
        """Set the row to open next. Return the context of the row's envelope or MAC.

        The context is valid until the next call.
        """
        self._context.set_row(id_, [encode(row[place]) for place, encode in self._bound])
        return self._context


# --- Bound values, encoded from what the database has ------------------------------------------------------


def _build_encoder(kind: "Field[Any, Any]", convert: _Convert) -> _Encode:
    """Return the function that encodes a column's stored value as a sealed field encodes its bound values."""

    def encode(stored: Any) -> bytes:
        return encode_value(encode_bound_value(convert(stored)))

    match kind:
        case UUIDField():
            return partial(_encode_id, encode)
        case DateTimeField():
            return partial(_encode_moment, encode)
        case BinaryField():
            return partial(_encode_bytes, encode)
    return partial(_encode_text, encode, {})


def _encode_id(encode: _Encode, stored: Any) -> bytes:
    if stored is None:
        return _NOTHING
    plain = _parse_id(stored)
    return _BEFORE_ID + plain if plain is not None else encode(stored)


def _encode_moment(encode: _Encode, stored: Any) -> bytes:
    if not _is_plain_moment(stored):
        return encode(stored)
    return _BEFORE_MOMENT + f"{stored[:10]}T{stored[11:_MILLISECONDS]}+00:00".encode("ascii")


def _encode_bytes(encode: _Encode, stored: Any) -> bytes:
    return encode_value(b"b:" + stored) if type(stored) is bytes else encode(stored)


def _encode_text(encode: _Encode, encoded: dict[Any, bytes], stored: Any) -> bytes:
    """Return the encoding of a stored value; encodings of texts are cached."""
    if type(stored) is not str:
        return encode(stored)
    found = encoded.get(stored)
    if found is None:
        found = encode(stored)
        if len(encoded) < _MAX_ENCODED:
            encoded[stored] = found
    return found


# --- Stored values that are written as always --------------------------------------------------------------


def format_id(stored: str) -> str:
    """Return the stored id of a row as text with dashes. The row's envelope must have been decrypted."""
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}"


def format_moment(stored: Any) -> str | None:
    """Return a stored moment as text in ISO 8601, or None if it is not stored in our usual form.

    Our usual form has microseconds, for example. Call this only for rows whose envelope is bound to the
    moment.
    """
    is_ours = type(stored) is str and len(stored) == len(_MOMENT)
    return f"{stored[:10]}T{stored[11:]}+00:00" if is_ours else None


def _parse_id(stored: Any) -> bytes | None:
    try:
        plain = bytes.fromhex(stored)
    except (TypeError, ValueError):
        return None
    return plain if len(plain) == _ID_BYTES and plain.hex() == stored else None


def _is_plain_moment(stored: Any) -> bool:
    """Return whether a moment is stored with microseconds, as all but one in a million are."""
    try:
        return len(stored) == len(_MOMENT) and datetime.fromisoformat(stored).tzinfo is None
    except (TypeError, ValueError):
        return False
