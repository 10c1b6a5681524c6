"""Sealed fields: Django fields that encrypt on save and decrypt on access."""

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models

from llamora.crypto import Context, current_keyring
from llamora.fields.access import SealedAttribute
from llamora.fields.values import PREFIX, SealedFieldError, SealedValue, UnsavedValue

if TYPE_CHECKING:
    from llamora.fields.models import SealedModel

    _Field = models.Field[Any, Any]
else:
    _Field = models.Field

PURPOSE = "field"


def encode_bound_value(value: object) -> bytes:
    """Return a bound column's value as bytes, with a prefix for its type, so that no two values are equal."""
    match value:
        case None:
            return b"n:"
        case bool() | int():
            return b"i:%d" % value
        case date():
            return b"d:" + value.isoformat().encode("ascii")
        case UUID():
            return b"u:" + value.bytes
        case str():
            return b"s:" + value.encode("utf-8")
        case bytes() | memoryview():
            return b"b:" + bytes(value)
    raise SealedFieldError(f"A column of type {type(value).__name__} cannot be bound.")


def _return_false(_field: object) -> bool:
    return False


class SealedField(_Field):
    """Base class of sealed fields; `label` never changes, and `bound` maps bound columns to frozen labels."""

    descriptor_class = SealedAttribute
    # A value that was not given is None: "" is no value of bytes or JSON.
    empty_strings_allowed = False
    plain_types: ClassVar[tuple[type, ...]] = ()

    def __init__(
        self, *, label: str, bound: Mapping[str, str] | None = None, null: bool = False, **ignored: Any
    ) -> None:
        if ignored.keys() - {"name", "verbose_name", "editable", "db_column"}:
            raise TypeError(f"A sealed field takes no {', '.join(sorted(ignored))}.")
        super().__init__(null=null, editable=False, **{k: v for k, v in ignored.items() if k != "editable"})
        self.label = label
        self.bound = dict(bound or {})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, list(args), {**kwargs, "label": self.label, "bound": self.bound}

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
        """Return the object that the instance stores: an UnsavedValue for plaintext that was assigned."""
        if value is None or isinstance(value, SealedValue | UnsavedValue):
            return value
        if not isinstance(value, self.plain_types):
            raise SealedFieldError(f"{self.label} cannot hold a value of type {type(value).__name__}.")
        return UnsavedValue(value)

    def context_for(self, instance: "SealedModel", columns: Mapping[str, Any]) -> Context:
        """Return the context of an envelope from the row's id, owner and bound columns."""
        del instance
        bound = tuple(
            (label, encode_bound_value(columns[column])) for column, label in sorted(self.bound.items())
        )
        return Context(
            purpose=PURPOSE, label=self.label, row=columns["id"], owner=columns["owner_id"], bound=bound
        )

    def open(self, instance: "SealedModel", held: SealedValue) -> Any:
        """Return the decrypted value of an envelope, opened with the columns with which it was loaded."""
        context = self.context_for(instance, instance.get_loaded_columns(self))
        return self.decode(current_keyring().unseal(held.envelope, context))

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
        context = self.context_for(model_instance, model_instance.get_current_columns(self))
        sealed = SealedValue(current_keyring().seal(self.encode(value), context))
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
