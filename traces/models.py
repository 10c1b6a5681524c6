"""Traces, the entries they are on, and suggested traces.

Readable without a key: how many traces there are, which entries share a trace, when traces were added and
changed; never a name. Names are sealed; `name_index` is a keyed blind index of a name's identity, which can
be computed only with the person's key.

    Trace              a name, its summary by the model, and whether its entries go into every prompt
    EntryTrace         a trace on an entry
    TraceProposal      names suggested for an entry, and names dismissed there
    Change             undo information of a rename, merge or deletion, for thirty days
    TracePreferences   whether the model suggests traces
"""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models import Entry
from llamora.crypto import EnvelopeError, current_realm_keyring
from llamora.fields import (
    MacField,
    SealedJSONField,
    SealedManager,
    SealedModel,
    SealedQuerySet,
    SealedTextField,
)
from traces.facts.models import DeclinedFact, Fact, FactChange, FactSettings, FactState
from traces.names import get_identity

__all__ = [
    "Change",
    "ChangeKind",
    "DeclinedFact",
    "EntryTrace",
    "Fact",
    "FactChange",
    "FactSettings",
    "FactState",
    "Trace",
    "TraceProposal",
]

NAME_INDEX_LABEL = "traces.trace.name_index"


def compute_name_index(name: str) -> bytes:
    """Return the blind index of a name under the keyring in force."""
    return current_realm_keyring().blind_index(label=NAME_INDEX_LABEL, value=get_identity(name))


class TraceQuerySet(SealedQuerySet["Trace"]):
    """Chainable filters of traces."""

    def for_owner(self, owner_id: UUID) -> "TraceQuerySet":
        """Return the traces of one person that are not deleted."""
        return self.filter(owner_id=owner_id, deleted_at=None)

    def only_deleted(self, owner_id: UUID) -> "TraceQuerySet":
        """Return the traces of one person that are deleted and not yet purged."""
        return self.filter(owner_id=owner_id, deleted_at__isnull=False)

    def with_names(self, names: Iterable[str]) -> "TraceQuerySet":
        """Return the traces with these names (see `get_identity`); needs their owner's keyring in force."""
        return self.filter(name_index__in=[compute_name_index(name) for name in names])


class TraceManager(SealedManager["Trace"]):
    """Manager of traces, with the filters of `TraceQuerySet`."""

    def get_queryset(self) -> TraceQuerySet:
        """Return a `TraceQuerySet` of all rows."""
        return TraceQuerySet(self.model, using=self._db)

    def for_owner(self, owner_id: UUID) -> TraceQuerySet:
        """Return the traces of one person that are not deleted."""
        return self.get_queryset().for_owner(owner_id)

    def only_deleted(self, owner_id: UUID) -> TraceQuerySet:
        """Return the traces of one person that are deleted and not yet purged."""
        return self.get_queryset().only_deleted(owner_id)


class Trace(SealedModel):
    """A word on entries: a person, a place or a theme. A deleted trace is purged after thirty days."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = SealedTextField(
        label="traces.trace.name",
        bound={
            "name_index": "traces.trace.name_index",
            "is_read_always": "traces.trace.is_read_always",
        },
        bound_in_format_1={},
    )
    name_index = models.BinaryField(max_length=32)
    # {"text", "model", "digest" of what it was made from}
    summary = SealedJSONField(label="traces.trace.summary", null=True)
    is_read_always = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)
    mac = MacField(
        label="traces.trace.mac",
        bound={"deleted_at": "traces.trace.deleted_at", "created_at": "traces.trace.created_at"},
    )

    objects: ClassVar[TraceManager] = TraceManager()

    class Meta:
        ordering = ("created_at", "id")
        indexes: ClassVar = [models.Index(fields=["owner", "deleted_at"], name="trace_of_owner")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "name_index"],
                condition=models.Q(deleted_at=None),
                name="trace_once_by_name",
            )
        ]

    def __str__(self) -> str:
        return f"Trace {self.id}"

    def check_name(self) -> None:
        """Raise EnvelopeError if the name cannot be decrypted, for instance after manipulation."""
        if self.name is None:
            raise EnvelopeError

    def set_name(self, name: str) -> None:
        """Set the name and its blind index; raise EnvelopeError if the present name cannot be decrypted."""
        if not self._state.adding:
            # Or what it is bound to would be sealed again as it is, also if it was changed without a key.
            self.check_name()
        self.name, self.name_index = name, compute_name_index(name)


class EntryTraceQuerySet(SealedQuerySet["EntryTrace"]):
    """Chainable filters of traces on entries."""

    def for_owner(self, owner_id: UUID) -> "EntryTraceQuerySet":
        """Return one person's traces on entries, except those of deleted traces or deleted entries."""
        return self.filter(owner_id=owner_id, trace__deleted_at=None, entry__deleted_at=None)


class EntryTraceManager(SealedManager["EntryTrace"]):
    """Manager of traces on entries, with the filters of `EntryTraceQuerySet`."""

    def get_queryset(self) -> EntryTraceQuerySet:
        """Return an `EntryTraceQuerySet` of all rows."""
        return EntryTraceQuerySet(self.model, using=self._db)

    def for_owner(self, owner_id: UUID) -> EntryTraceQuerySet:
        """Return one person's traces on entries, except those of deleted traces or deleted entries."""
        return self.get_queryset().for_owner(owner_id)


class EntryTrace(SealedModel):
    """A trace on an entry. Its columns contain no text, so they are not sealed, but covered by a MAC."""

    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]  # older than its base class
    # None needs an index: those below begin with each, and answer without reading a row.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    trace = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="kept", db_index=False)
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    mac = MacField(
        label="traces.entry_trace.mac",
        bound={"trace_id": "traces.entry_trace.trace", "entry_id": "traces.entry_trace.entry"},
    )

    objects: ClassVar[EntryTraceManager] = EntryTraceManager()

    class Meta:
        db_table = "traces_kepttrace"
        verbose_name = "kept trace"
        verbose_name_plural = "kept traces"
        ordering = ("created_at", "id")
        indexes: ClassVar = [
            models.Index(fields=["owner", "trace", "entry"], name="kept_by_owner"),
            models.Index(fields=["entry", "trace"], name="kept_on_entry"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trace", "entry"], name="trace_once_on_entry")
        ]

    def __str__(self) -> str:
        return f"Trace on an entry {self.id}"


class TraceProposal(SealedModel):
    """The suggested traces of an entry. `body` is {"offered": [name], "dismissed": [identity], "author"}."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, related_name="+")
    body = SealedJSONField(label="traces.proposal.body", bound={"entry_id": "traces.proposal.entry"})
    made_at = models.DateTimeField(default=timezone.now)

    class Meta(SealedModel.Meta):
        db_table = "traces_proposal"
        # The export's key is made of it.
        verbose_name = "proposal"
        verbose_name_plural = "proposals"

    def __str__(self) -> str:
        return f"Trace proposal {self.id}"


class ChangeKind(models.TextChoices):
    """Kinds of changes that can be undone."""

    RENAME = "rename", "Rename"
    MERGE = "merge", "Merge"
    DELETE = "delete", "Delete"


class Change(SealedModel):
    """A change of a trace. `body` has what its undo needs: {"was": name}, {"added": [entry id]} or {}.

    While a merge or its undo is in progress, also {"unfinished": "merge" or "undo"}.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    trace = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="+")
    # The trace that a merged one was merged into.
    into = models.ForeignKey(Trace, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=ChangeKind.choices)
    body = SealedJSONField(
        label="traces.change.body",
        bound={
            "trace_id": "traces.change.trace",
            "into_id": "traces.change.into",
            "kind": "traces.change.kind",
        },
        bound_in_format_1={"trace_id": "traces.change.trace", "kind": "traces.change.kind"},
    )
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("made_at", "id")

    def __str__(self) -> str:
        return f"Change {self.id}"
