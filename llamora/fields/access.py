"""Descriptor of a sealed column, which decrypts the envelope at each access.

In a block of `envelope_access`, it returns the envelope itself.

A field's `from_db_value` gets no instance, so it cannot know to which row an envelope belongs; a descriptor
can. It subclasses `DeferredAttribute` and adds `__set__`: without `__set__`, Django would write into the
instance's `__dict__` and bypass the descriptor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db.models.query_utils import DeferredAttribute

from llamora.fields.values import UnsavedValue

if TYPE_CHECKING:
    from llamora.fields.sealed import SealedField

_returns_envelopes: ContextVar[bool] = ContextVar("llamora_sealed_bare", default=False)


@contextmanager
def envelope_access() -> Iterator[None]:
    """Make sealed attributes return unopened envelopes during the `with` block, for code that copies rows."""
    token = _returns_envelopes.set(True)
    try:
        yield
    finally:
        _returns_envelopes.reset(token)


class SealedAttribute(DeferredAttribute):
    """Descriptor that opens the envelope with the current keyring at each access; plaintext is not cached."""

    field: "SealedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        held = instance.__dict__.get(self.field.attname, self)
        if held is self:
            with envelope_access():
                held = super().__get__(instance, cls)
        if held is None or _returns_envelopes.get():
            return held
        if isinstance(held, UnsavedValue):
            return held.reveal()
        return self.field.open(instance, held)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.wrap_assigned_value(value)
