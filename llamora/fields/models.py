"""Base class of all models with sealed columns; its queryset refuses writes that would invalidate envelopes.

An instance stores the id, owner and bound columns with which its envelopes were sealed (`loaded_values`). If
one of these has changed, for example in a copy of the row, the next `save()` reseals the envelopes. `save()`
writes a sealed column only if it was assigned or must be resealed, so an old instance does not overwrite a
newer envelope.
"""

from collections.abc import Collection, Iterable
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from django.db import models

from llamora.crypto import EnvelopeError, RealmKeyring
from llamora.database.commit_log import set_commit_owner
from llamora.fields.access import envelope_access
from llamora.fields.ids import new_id
from llamora.fields.sealed import IDENTITY, CheckedMac, MacField, SealedField
from llamora.fields.values import SealedFieldError, SealedValue, UnsavedValue

_M = TypeVar("_M", bound="SealedModel")
_D = TypeVar("_D")


@cache
def sealed_fields(model: type[models.Model]) -> tuple[SealedField, ...]:
    """Return the sealed fields of a model."""
    return tuple(field for field in model._meta.concrete_fields if isinstance(field, SealedField))


@cache
def mac_fields(model: type[models.Model]) -> tuple[MacField, ...]:
    """Return the MAC fields of a model."""
    return tuple(field for field in sealed_fields(model) if isinstance(field, MacField))


@cache
def bound_columns(model: type[models.Model]) -> frozenset[str]:
    """Return the names of all columns that this model's envelopes authenticate, including id and owner."""
    return frozenset(IDENTITY).union(*(field.bound for field in sealed_fields(model)))


@cache
def _protected_names(model: type[models.Model]) -> frozenset[str]:
    names = {field.name for field in sealed_fields(model)}
    for field in model._meta.concrete_fields:
        if field.attname in bound_columns(model):
            names |= {field.name, field.attname}
    return frozenset(names | {"pk"})


def _add_needed_columns(model: type[models.Model], names: Iterable[str]) -> set[str]:
    """Return these names of columns, with the columns that are needed to open the sealed ones among them."""
    wanted = set(names)
    opened = [field for field in sealed_fields(model) if field.name in wanted]
    for field in (*opened, *mac_fields(model)) if opened else ():
        wanted |= {field.name, "id", "owner_id", *field.bound}
    return wanted


class SealedQuerySet(models.QuerySet[_M]):
    """Queryset that refuses to update sealed columns, and columns whose values an envelope authenticates.

    Only `save()` may change these columns.
    """

    def _check_writable(self, names: Iterable[str], verb: str) -> None:
        guarded = sorted(_protected_names(self.model).intersection(names))
        if guarded:
            raise SealedFieldError(
                f"{verb} cannot write {', '.join(guarded)}: sealed or bound; save each row instead."
            )

    def only(self, *fields: str) -> Self:
        """Load only these columns, and the columns needed to open the sealed ones among them."""
        return super().only(*_add_needed_columns(self.model, fields))

    def update(self, **kwargs: Any) -> int:
        self._check_writable(kwargs, "update()")
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[_M], fields: Iterable[str], batch_size: int | None = None) -> int:
        names = list(fields)
        self._check_writable(names, "bulk_update()")
        return super().bulk_update(objs, names, batch_size=batch_size)

    def bulk_create(self, objs: Iterable[_M], *args: Any, **kwargs: Any) -> list[_M]:
        self._check_writable(kwargs.get("update_fields") or (), "bulk_create()")
        made = super().bulk_create(objs, *args, **kwargs)
        if not (kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts")):
            for row in made:
                row.mark_stored(bound_columns(self.model))
        return made


class SealedManager(models.Manager[_M]):
    """Manager of all sealed models."""

    def get_queryset(self) -> SealedQuerySet[_M]:
        """Return a SealedQuerySet."""
        return SealedQuerySet(self.model, using=self._db)


class SealedModel(models.Model):
    """Base class of models with sealed columns; subclasses declare `owner`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    # False where the first step of a rotation reseals every column: one of a former epoch was put back.
    opens_former_epochs: ClassVar[bool] = True

    objects: ClassVar[SealedManager[Self]] = SealedManager()

    owner_id: Any
    loaded_values: dict[str, Any]
    sealed_in_this_save: dict[str, SealedValue]
    # By the names of the MACs' columns; see `MacField.check_row`.
    checked_macs: dict[str, CheckedMac]

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.loaded_values = {}
        self.sealed_in_this_save = {}
        self.checked_macs = {}
        super().__init__(*args, **kwargs)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> Self:
        instance = super().from_db(db, field_names, values, **kwargs)
        instance._record_loaded_values(bound_columns(cls))
        return instance

    def _record_loaded_values(self, columns: Iterable[str]) -> None:
        values = self.__dict__
        loaded: dict[str, Any] = values["loaded_values"]
        for column in columns:
            if column in values:
                loaded[column] = values[column]

    def open_or(self, field: str, default: _D) -> Any | _D:
        """Return the value of a sealed field, or the default if its envelope does not open.

        So a page or a list can show other values when one is damaged. A locked vault still raises
        `VaultLocked`.
        """
        try:
            return getattr(self, field)
        except EnvelopeError:
            return default

    def check_columns(self, keyring: RealmKeyring) -> None:
        """Raise an EnvelopeError if plaintext columns with a MAC were changed without the key."""
        if not keyring.reads_columns_unchecked:
            for field in mac_fields(type(self)):
                field.check_row(self, keyring)

    def renew_macs(self) -> None:
        """Let the next save compute new MACs of the plaintext columns, without checking the old MACs.

        Only for a caller that has checked these columns, for example when their owner restores a damaged row.
        """
        for field in mac_fields(type(self)):
            self.__dict__[field.attname] = UnsavedValue(True)

    def get_envelope(self, field: SealedField) -> SealedValue | None:
        """Return the envelope of a sealed column as it was loaded, unopened."""
        held = self.__dict__.get(field.attname, field)
        if held is field:
            # Not loaded yet.
            with envelope_access():
                held = getattr(self, field.attname)
        return held if isinstance(held, SealedValue) else None

    def get_current_columns(self, field: SealedField) -> dict[str, Any]:
        """Return the current values of the columns that the envelope of `field` authenticates."""
        # As the database will return them: a date given as a string is stored as a date.
        return {
            column: self._meta.get_field(column).to_python(getattr(self, column))  # type: ignore[union-attr]
            for column in field.context_columns
        }

    def get_loaded_columns(self, field: SealedField) -> dict[str, Any]:
        """Return the values of the columns that the envelope of `field` authenticates, as loaded with it."""
        loaded = self.loaded_values
        return {c: loaded[c] if c in loaded else getattr(self, c) for c in field.context_columns}

    def has_changed_context(self, field: SealedField) -> bool:
        """Return whether a column that an envelope authenticates has changed since the sealing."""
        changed = self._get_changed_columns(field)
        # A new row was loaded without columns; those it has are its own.
        return bool(changed.intersection(self.loaded_values) if self._state.adding else changed)

    def _get_changed_columns(self, field: SealedField) -> set[str]:
        """Return the columns that `field` is bound to and whose values differ from the loaded ones."""
        return {column for column in field.context_columns if self._is_assigned(column)}

    def _is_assigned(self, column: str) -> bool:
        """Return whether a column has a value that is not the one that was loaded."""
        if column not in self.__dict__:
            return False
        return column not in self.loaded_values or self.loaded_values[column] != self.__dict__[column]

    def save(
        self,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        names = update_fields
        if update_fields is not None:
            names = self._check_update_fields(frozenset(update_fields))
        elif not (self._state.adding or force_insert):
            names = self._list_fields_to_save()
        self.sealed_in_this_save = {}
        set_commit_owner(self.owner_id, getattr(self, "day", None))
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=names)
        bound = bound_columns(type(self))
        self.mark_stored(bound if names is None else bound.intersection(self._get_attnames(names)))

    def _save_table(self, raw: bool = False, *args: Any, **kwargs: Any) -> bool:
        # `loaddata` saves envelopes as they are, without a key; it calls `Model.save_base` directly, past
        # any override, so this is the place to handle it.
        with envelope_access() if raw else nullcontext():
            return bool(super()._save_table(raw, *args, **kwargs))  # type: ignore[misc]  # Django's own

    def mark_stored(self, written: Iterable[str]) -> None:
        """Record a successful write: replace the assigned values with the envelopes that were written.

        After a failed write the assigned values stay, so that the save can be repeated.
        """
        self.__dict__.update(self.sealed_in_this_save)
        self.sealed_in_this_save = {}
        self._record_loaded_values(written)

    def __getstate__(self) -> dict[str, Any]:
        # A copy gets its own dict: saving the copy must not change the loaded values of this row.
        return {
            **super().__getstate__(),
            "loaded_values": dict(self.loaded_values),
            "sealed_in_this_save": {},
            "checked_macs": {},
        }

    def _get_attnames(self, names: Iterable[str]) -> set[str]:
        return {self._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]  # columns only

    def _must_be_written(self, field: SealedField) -> bool:
        held = self.__dict__.get(field.attname)
        return not isinstance(held, SealedValue) or self.has_changed_context(field)

    def _list_fields_to_save(self) -> list[str]:
        """Return the names of all loaded fields, except sealed and bound ones that need not be written."""
        deferred = self.get_deferred_fields()
        if any(
            self.has_changed_context(field) and field.attname in deferred
            for field in sealed_fields(type(self))
        ):
            raise SealedFieldError(
                "A bound column changed while its sealed column was not loaded; load it first."
            )
        written = [field for field in sealed_fields(type(self)) if self._must_be_written(field)]
        # Bound columns go with their envelope: an instance that was loaded long ago must write neither.
        unchanged = bound_columns(type(self)).difference(IDENTITY, *(field.bound for field in written))
        return [
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key
            and field.attname not in deferred
            and (field in written if isinstance(field, SealedField) else field.attname not in unchanged)
        ]

    def _check_update_fields(self, names: frozenset[str]) -> frozenset[str]:
        """Return the names of the fields to save, with the MACs that cover any of them.

        Raise SealedFieldError if the save would separate an envelope from columns that it is bound to.
        """
        written = self._get_attnames(names)
        names |= {field.name for field in mac_fields(type(self)) if written & set(field.bound)}
        written = self._get_attnames(names)
        for field in sealed_fields(type(self)):
            changed = self._get_changed_columns(field)
            touched = changed & written
            if (touched and field.attname not in written) or (changed - written and field.attname in written):
                raise SealedFieldError(
                    f"{field.label} and {', '.join(sorted(changed))} must be saved together."
                )
        return names

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        if fields is None:
            with envelope_access():
                super().refresh_from_db(using=using, from_queryset=from_queryset)
            self._record_loaded_values(bound_columns(type(self)))
            return
        names = self._add_bound_columns(list(fields))
        asked = self._get_attnames(names)
        held = {name: value for name, value in self.__dict__.items() if name not in asked}
        with envelope_access():
            super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self._record_refreshed_values(names, held)
        # `only()` loads more than it is asked for; what was held stays as it was.
        self.__dict__.update(held)

    def _record_refreshed_values(self, names: list[str], held: Collection[str]) -> None:
        """Record the bound columns that were just loaded, except those whose envelopes were not."""
        model = type(self)
        loaded = bound_columns(model) & self._get_attnames(_add_needed_columns(model, names))
        of_asked = {column for field in sealed_fields(model) if field.name in names for column in field.bound}
        self._record_loaded_values(
            c for c in loaded if c in of_asked or c not in held or c not in self.loaded_values
        )

    def _add_bound_columns(self, names: list[str]) -> list[str]:
        """Return the names with the bound columns of sealed fields, which must be loaded together.

        A bound column that was assigned is not added, so that its new value is not lost.
        """
        macs = [field for field in mac_fields(type(self)) if set(field.bound).intersection(names)]
        names += [field.attname for field in macs if field.attname not in names]
        for field in sealed_fields(type(self)):
            if field.attname in names or field.name in names:
                names += [c for c in field.bound if not self._is_assigned(c) and c not in names]
        return names
