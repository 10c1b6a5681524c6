"""Tables of facts: the facts of a person, their history, and declined sentences.

Readable without a key: how many facts there are, in which state, when each was added and changed; never a
word. Facts are sealed with keys of the realm `facts`, which decrypt no entry.

    Fact           a sentence, and its source
    FactChange     a change of a fact, in a chain of digests, so that it can be undone
    DeclinedFact   the digest of a declined or forgotten sentence, so that it is not proposed again
    FactSettings   the settings of facts, and the key of these digests
"""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models import TRUSTED_ORIGINS, Origin
from llamora.database.lookups import build_owner_condition
from llamora.fields import MacField, SealedJSONField, SealedManager, SealedModel, SealedQuerySet

# A model proposes facts from its owner's own entries alone, and its owner accepts them. What a program or a
# file said may be meant for the model that reads it.
TRUSTED_FACT_ORIGINS = TRUSTED_ORIGINS | {Origin.MODEL}

SUBJECT_INDEX_LABEL = "traces.fact.subject_index"
SAME_INDEX_LABEL = "traces.fact.same_index"


class FactState(models.TextChoices):
    """The state of a fact; only accepted facts are used in prompts."""

    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    # No longer so, since its owner said so or accepted what took its place.
    ENDED = "ended", "No longer so"
    ARCHIVED = "archived", "Archived"


class FactQuerySet(SealedQuerySet["Fact"]):
    """Chainable filters of facts."""

    def for_owner(self, owner_id: UUID) -> "FactQuerySet":
        """Return the facts of one person, in every state."""
        return self.filter(owner_id=owner_id)

    def for_ids(self, owner_id: UUID, ids: Iterable[UUID]) -> "FactQuerySet":
        """Return the facts of one person with these ids, in every state."""
        return self.filter(build_owner_condition(owner_id), id__in=list(ids))

    def only_accepted(self, owner_id: UUID) -> "FactQuerySet":
        """Return the accepted facts of one person that have not ended."""
        return self.filter(owner_id=owner_id, state=FactState.ACCEPTED)

    def only_trusted(self) -> "FactQuerySet":
        """Return the facts that their owner wrote, or that a model found in texts of the owner."""
        return self.filter(origin__in=TRUSTED_FACT_ORIGINS)

    def only_others(self) -> "FactQuerySet":
        """Return the facts from files and programs, except those marked as their owner's own.

        Facts that are only proposed are left out.
        """
        return self.exclude(origin__in=TRUSTED_FACT_ORIGINS).exclude(state=FactState.PROPOSED)

    def only_proposed(self, owner_id: UUID) -> "FactQuerySet":
        """Return the proposals that wait for one person, the oldest first."""
        return self.filter(owner_id=owner_id, state=FactState.PROPOSED).order_by("created_at", "id")


class FactManager(SealedManager["Fact"]):
    """Manager of facts, with the filters of `FactQuerySet`."""

    def get_queryset(self) -> FactQuerySet:
        """Return a `FactQuerySet` of all rows."""
        return FactQuerySet(self.model, using=self._db)

    def for_owner(self, owner_id: UUID) -> FactQuerySet:
        """Return the facts of one person, in every state."""
        return self.get_queryset().for_owner(owner_id)

    def for_ids(self, owner_id: UUID, ids: Iterable[UUID]) -> FactQuerySet:
        """Return the facts of one person with these ids, in every state."""
        return self.get_queryset().for_ids(owner_id, ids)

    def only_accepted(self, owner_id: UUID) -> FactQuerySet:
        """Return the accepted facts of one person that have not ended."""
        return self.get_queryset().only_accepted(owner_id)

    def only_proposed(self, owner_id: UUID) -> FactQuerySet:
        """Return the proposals that wait for one person, the oldest first."""
        return self.get_queryset().only_proposed(owner_id)


class Fact(SealedModel):
    """A sentence that its owner wrote or confirmed, or the proposal of one."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Where it is from. No foreign keys: a row that is deleted leaves the fact, whose columns are sealed.
    entry_id = models.UUIDField(null=True)
    # The fact that took its place.
    successor_id = models.UUIDField(null=True)
    state = models.CharField(max_length=16, choices=FactState.choices, default=FactState.PROPOSED)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.OWN, editable=False)
    # Blind indexes of the subject with its relation, and of the normalized sentence.
    subject_index = models.BinaryField(max_length=32)
    same_index = models.BinaryField(max_length=32)
    # See `traces.facts.fact_body`.
    body = SealedJSONField(
        label="traces.fact.body",
        bound={
            "entry_id": "traces.fact.entry",
            "successor_id": "traces.fact.successor",
            "state": "traces.fact.state",
            "origin": "traces.fact.origin",
            "subject_index": "traces.fact.subject_index",
            "same_index": "traces.fact.same_index",
        },
    )
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    mac = MacField(
        label="traces.fact.mac",
        bound={"created_at": "traces.fact.created_at", "changed_at": "traces.fact.changed_at"},
    )

    objects: ClassVar[FactManager] = FactManager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes: ClassVar = [
            models.Index(fields=["owner", "state", "-created_at", "-id"], name="fact_by_owner"),
            models.Index(fields=["owner", "subject_index"], name="fact_by_subject"),
            models.Index(fields=["owner", "same_index"], name="fact_by_sentence"),
            models.Index(fields=["owner", "entry_id"], name="fact_by_entry"),
        ]

    def __str__(self) -> str:
        return f"Fact {self.id}"


class FactChange(SealedModel):
    """Record of one change of one fact. `body` is {"before", "after", "by", "group", "previous"}."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    fact = models.ForeignKey(Fact, on_delete=models.CASCADE, related_name="changes")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=24)
    body = SealedJSONField(
        label="traces.fact_change.body",
        bound={
            "fact_id": "traces.fact_change.fact",
            "number": "traces.fact_change.number",
            "kind": "traces.fact_change.kind",
        },
    )
    made_at = models.DateTimeField(default=timezone.now)
    mac = MacField(label="traces.fact_change.mac", bound={"made_at": "traces.fact_change.made_at"})

    class Meta:
        verbose_name = "fact change"
        ordering = ("number",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["fact", "number"], name="fact_change_once")]

    def __str__(self) -> str:
        return f"Fact change {self.id}"


class DeclinedFact(SealedModel):
    """A sentence that is not proposed again: only its keyed digest is stored."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    digest = models.BinaryField(max_length=32)
    declined_at = models.DateTimeField(default=timezone.now)
    mac = MacField(
        label="traces.declined_fact.mac",
        bound={"digest": "traces.declined_fact.digest", "declined_at": "traces.declined_fact.declined_at"},
    )

    class Meta:
        verbose_name = "declined fact"
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "digest"], name="declined_once")]

    def __str__(self) -> str:
        return f"Declined fact {self.id}"


class FactSettings(SealedModel):
    """Settings of facts: {"digest_key", "proposes_after_reply", "confirms_same", "read_entries"}."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    body = SealedJSONField(label="traces.fact_settings.body")

    class Meta(SealedModel.Meta):
        verbose_name = "fact settings"
        verbose_name_plural = "fact settings"

    def __str__(self) -> str:
        return f"Fact settings {self.id}"
