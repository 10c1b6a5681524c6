"""Sealed fields: Django fields that encrypt on save and decrypt on access.

    SealedTextField, SealedJSONField, SealedBytesField   a value in an envelope, bound to other columns
    MacField                                             a MAC over plaintext columns, and no value

An envelope is bound to columns that rarely change. Columns that change often, or in many rows at once
(`deleted_at`), are covered by a MacField instead, so that the envelopes need not be resealed. The MAC is
checked before any sealed field of the row is opened; if the columns were changed without the key, nothing in
the row opens.

The context (`llamora.crypto.context`) of an envelope has the purpose "field", and the context of a MAC has
"columns". The label is the field's. The row is the primary key: a UUID, or 16 zero bytes for tables with
integer keys, which have only a MAC. The bound values are the columns in `bound`, under their labels; an
envelope of format 1 was bound to the columns in `bound_in_format_1`. A value is encoded as a letter, a colon,
and

    n   nothing                         no value (NULL)
    i   decimal number                  integers; booleans as 1 or 0
    d   YYYY-MM-DD                      dates
    t   YYYY-MM-DDTHH:MM:SS.mmm+00:00   moments, in UTC, cut to milliseconds
    u   16 bytes                        UUIDs
    s   UTF-8                           texts
    b   the bytes                       bytes
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import UUID
from weakref import ref

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models

from llamora.crypto import (
    FORMAT_1,
    FORMAT_2,
    AnyContext,
    Context,
    EnvelopeError,
    NotAuthentic,
    RealmKeyring,
    WrongEpoch,
    current_realm_keyring,
    newest_header,
    read_header,
)
from llamora.fields.access import SealedAttribute
from llamora.fields.key_epochs import refuse_unknown_epoch
from llamora.fields.values import PREFIX, SealedFieldError, SealedValue, UnsavedValue

if TYPE_CHECKING:
    from llamora.fields.models import SealedModel

    _Field = models.Field[Any, Any]
else:
    _Field = models.Field

PURPOSE = "field"
MAC_PURPOSE = "columns"
# Format and epoch.
_HEADER_BYTES = 5
_FORMAT_1_BYTE = bytes([FORMAT_1])
# The row of rows that are numbered: what they say is bound instead.
NUMBERED = UUID(int=0)
IDENTITY = ("id", "owner_id")


def _encode_moment(value: datetime) -> bytes:
    # In UTC, as it is stored and loaded; in whole milliseconds, as `dumpdata` writes it.
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return b"t:" + moment.isoformat(timespec="milliseconds").encode("ascii")


# Of a subclass, the first one that fits; so moments, which are dates too, come before dates.
_ENCODERS: dict[type[Any], Callable[[Any], bytes]] = {
    type(None): lambda value: b"n:",  # noqa: ARG005 - called like the others
    UUID: lambda value: b"u:" + value.bytes,
    bool: lambda value: b"i:%d" % value,
    int: lambda value: b"i:%d" % value,
    datetime: _encode_moment,
    date: lambda value: b"d:" + value.isoformat().encode("ascii"),
    str: lambda value: b"s:" + value.encode("utf-8"),
    bytes: lambda value: b"b:" + value,
    memoryview: lambda value: b"b:" + bytes(value),
}


def encode_bound_value(value: object) -> bytes:
    """Return the encoding of a bound column's value, as specified in the module docstring."""
    encode = _ENCODERS.get(type(value))
    if encode is None:
        encode = next((one for kind, one in _ENCODERS.items() if isinstance(value, kind)), None)
    if encode is None:
        raise SealedFieldError(f"A column of type {type(value).__name__} cannot be bound.")
    return encode(value)


def _return_false(_field: object) -> bool:
    return False


class SealedField(_Field):
    """Base class of sealed fields, whose envelopes are bound to other columns of the row.

    `label` never changes, and `bound` maps the bound columns to labels, which never change either.
    `bound_in_format_1` are the columns that envelopes of format 1 were bound to, if these were fewer.
    """

    descriptor_class = SealedAttribute
    # A value that was not given is None: "" is no value of bytes or JSON.
    empty_strings_allowed = False
    plain_types: ClassVar[tuple[type, ...]] = ()
    # What an envelope is bound to is no matter of the table, which a migration would copy.
    non_db_attrs = (*models.Field.non_db_attrs, "label", "bound", "bound_in_format_1")
    purpose = PURPOSE

    def __init__(
        self,
        *,
        label: str,
        bound: Mapping[str, str] | None = None,
        bound_in_format_1: Mapping[str, str] | None = None,
        null: bool = False,
        **ignored: Any,
    ) -> None:
        if ignored.keys() - {"name", "verbose_name", "editable", "db_column"}:
            raise TypeError(f"A sealed field takes no {', '.join(sorted(ignored))}.")
        super().__init__(null=null, editable=False, **{k: v for k, v in ignored.items() if k != "editable"})
        self.label = label
        self.bound = dict(bound or {})
        self.bound_in_format_1 = self.bound if bound_in_format_1 is None else dict(bound_in_format_1)
        # What a context is made of.
        self.context_columns = (*IDENTITY, *self.bound)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        kwargs |= {"label": self.label, "bound": self.bound}
        if self.bound_in_format_1 != self.bound:
            kwargs["bound_in_format_1"] = self.bound_in_format_1
        return name, path, list(args), kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = super().check(**kwargs)
        if not self.label or self.label.count(".") != 2:
            found.append(
                checks.Error("A sealed field needs a label app.model.column.", obj=self, id="llamora.E101")
            )
        return found

    # --- sealing and opening -------------------------------------------------------------------

    def encode(self, value: Any) -> bytes:
        """Return the plaintext bytes of a value."""
        raise NotImplementedError

    def decode(self, plaintext: bytes) -> Any:
        """Return the value of plaintext bytes."""
        raise NotImplementedError

    def wrap_assigned_value(self, value: Any) -> Any:
        """Return an assigned value as an instance stores it: plaintext is wrapped in an UnsavedValue.

        None, a SealedValue and an UnsavedValue are returned unchanged. If a plaintext has a wrong type, raise
        a SealedFieldError.
        """
        if value is None or isinstance(value, SealedValue | UnsavedValue):
            return value
        if not isinstance(value, self.plain_types):
            raise SealedFieldError(f"{self.label} cannot hold a value of type {type(value).__name__}.")
        return UnsavedValue(value)

    def context_for(self, columns: Mapping[str, Any], *, number: int = FORMAT_2) -> Context:
        """Return the context of an envelope, given its format `number` and its row's id and columns."""
        names = self.bound_in_format_1 if number == FORMAT_1 else self.bound
        bound = tuple([(label, encode_bound_value(columns[column])) for column, label in names.items()])
        row = columns["id"]
        return Context(
            purpose=self.purpose,
            label=self.label,
            row=row if isinstance(row, UUID) else NUMBERED,
            owner=columns["owner_id"],
            bound=bound,
        )

    def unseal(self, keyring: RealmKeyring, envelope: bytes, columns: Mapping[str, Any]) -> bytes:
        """Return an envelope's plaintext, given its row; raise an EnvelopeError if it does not open."""
        # Of an envelope of any other format, or of none, the keyring says what is wrong with it.
        number = FORMAT_1 if envelope[:1] == _FORMAT_1_BYTE else FORMAT_2
        return self.unseal_in(keyring, envelope, self.context_for(columns, number=number))

    def unseal_in(self, keyring: RealmKeyring, envelope: bytes, context: AnyContext) -> bytes:
        """Return an envelope's plaintext, given its context; raise an EnvelopeError if it does not open."""
        if not getattr(self.model, "opens_former_epochs", True) and (
            read_header(envelope).epoch < keyring.epoch
        ):
            raise NotAuthentic
        try:
            return keyring.unseal(envelope, context)
        except WrongEpoch:
            refuse_unknown_epoch(keyring.owner, envelope)
            raise

    def reseal(self, keyring: RealmKeyring, envelope: bytes, columns: Mapping[str, Any]) -> bytes:
        """Open an envelope, and return its value in a new envelope of the current epoch.

        If the old envelope does not open, raise an EnvelopeError.
        """
        context = self.context_for(columns)
        if envelope[:1] == _FORMAT_1_BYTE:
            return keyring.seal(self.unseal(keyring, envelope, columns), context)
        # Of one format, both have one context: making it takes a fifth of the time.
        return keyring.seal(self.unseal_in(keyring, envelope, context), context)

    def verify(self, keyring: RealmKeyring, envelope: bytes, columns: Mapping[str, Any]) -> None:
        """Raise an EnvelopeError or SealedFieldError if an envelope does not open to a valid value."""
        self.decode(self.unseal(keyring, envelope, columns))

    def open(self, instance: "SealedModel", held: SealedValue) -> Any:
        """Return the decrypted value of an envelope, using the columns that were loaded with it."""
        keyring = current_realm_keyring()
        instance.check_columns(keyring)
        return self.decode(self.unseal(keyring, held.envelope, instance.get_loaded_columns(self)))

    def pre_save(self, model_instance: Any, add: bool) -> SealedValue | None:
        """Return the envelope to write: a new one if the value or a bound column has changed."""
        del add
        held = model_instance.__dict__.get(self.attname)
        if held is None:
            return None
        # The models of past migrations have no `has_changed_context`: a migration never needs a key.
        has_changed_context = getattr(model_instance, "has_changed_context", _return_false)
        if isinstance(held, SealedValue) and not has_changed_context(self):
            return held
        value = held.reveal() if isinstance(held, UnsavedValue) else self.open(model_instance, held)
        context = self.context_for(model_instance.get_current_columns(self))
        sealed = SealedValue(current_realm_keyring().seal(self.encode(value), context))
        model_instance.sealed_in_this_save[self.attname] = sealed
        return sealed

    # --- to and from the database ----------------------------------------------------------------

    def from_db_value(self, value: bytes | None, *_: object) -> SealedValue | None:
        return None if value is None else SealedValue(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> bytes | None:
        del connection, prepared
        if value is None:
            return None
        if not isinstance(value, SealedValue):
            raise SealedFieldError(f"{self.label} is written by save() only, so that it can be sealed.")
        return value.envelope

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise SealedFieldError(
                f"{self.label} is sealed: the database can only be asked whether it is null."
            )
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        raise SealedFieldError(f"{self.label} is sealed: {lookup_name} cannot be asked of it.")

    # --- dumpdata and loaddata carry envelopes ------------------------------------------------------

    def value_from_object(self, obj: models.Model) -> Any:
        return obj.__dict__.get(self.attname)

    def value_to_string(self, obj: models.Model) -> str:
        held = self.value_from_object(obj)
        if not isinstance(held, SealedValue):
            raise SealedFieldError(f"{self.label} is not sealed yet; save the row first.")
        return held.to_text()

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, SealedValue):
            return value
        if isinstance(value, str) and value.startswith(PREFIX):
            return SealedValue.from_text(value)
        raise SealedFieldError(f"{self.label} takes sealed values here.")

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Return the stored object unopened, because Django assigns the result to the field."""
        if value is None and not self.null:
            raise ValidationError(self.error_messages["null"], code="null")
        return value if model_instance is None else self.value_from_object(model_instance)

    def formfield(self, *_: Any, **__: Any) -> None:
        return None


class SealedTextField(SealedField):
    """Sealed UTF-8 text, stored without normalisation; padding hides its exact length."""

    empty_strings_allowed = True
    plain_types = (str,)

    def encode(self, value: str) -> bytes:
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            # `from None`: the error carries the text.
            raise SealedFieldError(f"{self.label} cannot hold half a surrogate pair.") from None

    def decode(self, plaintext: bytes) -> str:
        return plaintext.decode("utf-8")


class SealedJSONField(SealedField):
    """Sealed JSON: dicts, lists, strings, numbers, booleans."""

    plain_types = (dict, list, str, int, float, bool)

    def encode(self, value: Any) -> bytes:
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        except UnicodeEncodeError:
            # `from None`, here and below: the error carries the text.
            raise SealedFieldError(f"{self.label} cannot hold half a surrogate pair.") from None

    def decode(self, plaintext: bytes) -> Any:
        try:
            return json.loads(plaintext)
        except ValueError:
            raise SealedFieldError(f"{self.label} holds no JSON.") from None


class SealedBytesField(SealedField):
    """Sealed bytes: keys, digests, vectors."""

    plain_types = (bytes,)

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, plaintext: bytes) -> bytes:
        return plaintext


class CheckedMac(NamedTuple):
    """A MAC that was verified with a keyring and some columns, so that it is not verified twice."""

    keyring: ref[RealmKeyring]
    mac: SealedValue
    columns: dict[str, Any]

    def covers(self, keyring: RealmKeyring, mac: SealedValue, columns: dict[str, Any]) -> bool:
        """Return whether this CheckedMac records a check of the same MAC, keyring and columns.

        If the keyring was closed since the check, return False.
        """
        return (
            self.keyring() is keyring
            and not keyring.is_closed
            and self.mac is mac
            and self.columns == columns
        )


class MacField(SealedField):
    """A MAC over plaintext columns of the row, computed on save and verified when the row is opened."""

    purpose = MAC_PURPOSE

    def __init__(self, *, label: str, bound: Mapping[str, str], **options: Any) -> None:
        # Null in rows that are older than the column, until their owner's key is rotated.
        super().__init__(label=label, bound=bound, **{**options, "null": True})

    def reseal(self, keyring: RealmKeyring, envelope: bytes, columns: Mapping[str, Any]) -> bytes:
        """Verify the old MAC (`envelope`), and return a new MAC of the same columns in the current epoch.

        If the old MAC is wrong, raise an EnvelopeError.
        """
        context = self.context_for(columns)
        self.check_mac(keyring, envelope, context)
        return keyring.compute_mac(context)

    def verify(self, keyring: RealmKeyring, envelope: bytes, columns: Mapping[str, Any]) -> None:
        """Raise an EnvelopeError if a MAC does not match the columns."""
        self.check_mac(keyring, envelope, self.context_for(columns))

    @staticmethod
    def check_mac(keyring: RealmKeyring, mac: bytes, context: AnyContext) -> None:
        """Raise an EnvelopeError if a MAC does not match the columns in a context."""
        try:
            keyring.check_mac(mac, context)
        except WrongEpoch:
            refuse_unknown_epoch(keyring.owner, mac)
            raise

    def check_row(self, instance: "SealedModel", keyring: RealmKeyring) -> None:
        """Raise an EnvelopeError if the columns of a loaded row do not match its MAC.

        A row is checked only once, until its keyring, its MAC or a column changes.
        """
        held = instance.get_envelope(self)
        if held is None:
            raise NotAuthentic
        columns = instance.get_loaded_columns(self)
        checked = instance.checked_macs.get(self.attname)
        if checked is not None and checked.covers(keyring, held, columns):
            return
        self.verify(keyring, held.envelope, columns)
        instance.checked_macs[self.attname] = CheckedMac(ref(keyring), held, columns)

    def _is_wrong(self, instance: "SealedModel", held: SealedValue) -> bool:
        """Return whether a MAC of the current epoch is wrong; raise EnvelopeError if a former one is."""
        keyring = current_realm_keyring()
        try:
            self.verify(keyring, held.envelope, instance.get_loaded_columns(self))
        except EnvelopeError:
            if held.envelope[:_HEADER_BYTES] == newest_header(keyring.epoch):
                return True
            # The fence would refuse to write it again.
            raise
        return False

    def open(self, instance: "SealedModel", held: SealedValue) -> bool:
        """Verify a MAC, instead of opening an envelope. Return True; a wrong MAC raises an EnvelopeError."""
        self.verify(current_realm_keyring(), held.envelope, instance.get_loaded_columns(self))
        return True

    def pre_save(self, model_instance: Any, add: bool) -> SealedValue | None:
        """Return the MAC to write: a new one if a column has changed."""
        del add
        if not hasattr(model_instance, "has_changed_context"):
            # The models of past migrations: a migration never needs a key.
            held = model_instance.__dict__.get(self.attname)
            return held if isinstance(held, SealedValue) else None
        held = model_instance.__dict__.get(self.attname)
        is_new = model_instance._state.adding or isinstance(held, UnsavedValue)
        held = held if is_new else model_instance.get_envelope(self)
        if isinstance(held, SealedValue) and not model_instance.has_changed_context(self):
            return held
        # What was changed without a key is not made good by the next save, nor is a row that was made without
        # a MAC. The row can still be saved, so that its owner can delete what is damaged.
        if held is None and not is_new:
            return None
        if isinstance(held, SealedValue) and self._is_wrong(model_instance, held):
            return held
        context = self.context_for(model_instance.get_current_columns(self))
        sealed = SealedValue(current_realm_keyring().compute_mac(context))
        model_instance.sealed_in_this_save[self.attname] = sealed
        return sealed
