"""Tables of entries and of their earlier versions.

    Entry      a text that a person wrote on a day
    Version    the text of an entry before an edit, stored for thirty days

A *day* is a date in its owner's time zone, fixed when the entry is written and bound to the text: moving an
entry to another day seals it again. Times, states and counts are readable without a key; texts never are.

A plain column of `Entry` that the composer sends and the page shows touches six files: this one, a migration,
`entries/forms.py` (`SubmittedText`), `entries/services.py` (`save_entry`), and the templates `composer.html`
(a refused value is `composer.submitted.<column>`) and `entry.html` (`entry.row.<column>`). Export and import
find it by introspection, and a script resets it after a save. Whoever writes to the database can change it,
unless it is bound to the text like the day. Drafts and notes use `SubmittedText` too: a value that survives a
reload before it is saved also needs a column of `Draft`.
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast
from django.utils import timezone

from llamora.fields import (
    MacField,
    SealedBytesField,
    SealedJSONField,
    SealedManager,
    SealedModel,
    SealedQuerySet,
    SealedTextField,
)


def month_day_expression() -> models.Func:
    """Return the indexed expression for the day of the year, as MM-DD.

    SQLite stores a date as its ISO text. The expression is plain SQL, so that any program can write to the
    table. Its number is a literal in the template, since SQLite would not match the index with a parameter.
    """
    text = Cast("day", models.CharField())
    return models.Func(text, template="SUBSTR(%(expressions)s, 6)", output_field=models.CharField())


class Origin(models.TextChoices):
    """The origin of a text; `own` means that its owner typed it here or claimed it as their own."""

    OWN = "own", "Written here"
    # By a program that only passes on what its owner types.
    OWN_TOKEN = "own_token", "Written with a program"
    IMPORTED = "imported", "Imported"
    PROGRAM = "program", "From a program"
    MODEL = "model", "Written by the model"


# The origins of a person's own texts: only these are given to a model without being marked as imported.
TRUSTED_ORIGINS = frozenset({Origin.OWN, Origin.OWN_TOKEN})


class EntryQuerySet(SealedQuerySet["Entry"]):
    """Chainable filters of entries."""

    def for_owner(self, owner_id: UUID) -> "EntryQuerySet":
        """Return the entries of one person that are not deleted."""
        return self.filter(owner_id=owner_id, deleted_at=None)

    def in_bin(self, owner_id: UUID) -> "EntryQuerySet":
        """Return the entries of one person that are deleted and not yet purged."""
        return self.filter(owner_id=owner_id, deleted_at__isnull=False)

    def only_trusted(self) -> "EntryQuerySet":
        """Return the entries that their owner wrote or claimed."""
        return self.filter(origin__in=TRUSTED_ORIGINS)

    def on_day(self, day: date) -> "EntryQuerySet":
        """Return the entries of a day, in the order they were written."""
        return self.filter(day=day).order_by("created_at", "id")

    def on_this_day(self, *month_days: str) -> "EntryQuerySet":
        """Return the entries with one of these months and days (MM-DD) in any year, the latest day first."""
        return (
            self.alias(month_day=month_day_expression())
            .filter(month_day__in=month_days)
            .order_by("-day", "created_at", "id")
        )


class EntryManager(SealedManager["Entry"]):
    """Manager of entries, with the filters of `EntryQuerySet`."""

    def get_queryset(self) -> EntryQuerySet:
        """Return an `EntryQuerySet` of all rows."""
        return EntryQuerySet(self.model, using=self._db)

    def for_owner(self, owner_id: UUID) -> EntryQuerySet:
        """Return the entries of one person that are not deleted."""
        return self.get_queryset().for_owner(owner_id)

    def in_bin(self, owner_id: UUID) -> EntryQuerySet:
        """Return the entries of one person that are deleted and not yet purged."""
        return self.get_queryset().in_bin(owner_id)


class Entry(SealedModel):
    """A text that a person wrote on a day."""

    # Needs no index: the first one below begins with it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    # The day it was on before it was moved; imports look for the entries of their lines there.
    first_day = models.DateField(null=True, blank=True)
    # Seconds east of UTC where it was written, so that its time stays what the person's clock showed.
    utc_offset = models.IntegerField(null=True, blank=True)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.OWN, editable=False)
    text = SealedTextField(
        label="diary.entry.text",
        bound={
            "day": "diary.entry.day",
            "revision": "diary.entry.revision",
            "origin": "diary.entry.origin",
            "utc_offset": "diary.entry.utc_offset",
        },
        bound_in_format_1={"day": "diary.entry.day"},
    )
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    # Idempotency key: a save that is repeated after a lost response finds its entry.
    keep_key = models.UUIDField(null=True)
    # Digest of the imported line, so that a second import adds nothing, even after an edit.
    source = SealedBytesField(label="diary.entry.source", null=True)
    # Where it is from, and what it was before its owner said that it is theirs: `diary.origins.provenance`.
    provenance = SealedJSONField(label="diary.entry.provenance", null=True)
    mac = MacField(
        label="diary.entry.mac",
        bound={"deleted_at": "diary.entry.deleted_at", "created_at": "diary.entry.created_at"},
    )

    objects: ClassVar[EntryManager] = EntryManager()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ("day", "created_at", "id")
        indexes: ClassVar = [
            # Lists a day in its order, and the days with entries of a month without reading a row.
            models.Index(
                fields=["owner", "day", "deleted_at", "created_at", "id"], name="entry_by_owner_and_day"
            ),
            models.Index(
                fields=["owner", "deleted_at"],
                name="entry_in_bin",
                condition=models.Q(deleted_at__isnull=False),
            ),
            models.Index(
                models.F("owner"),
                month_day_expression(),
                models.F("day"),
                models.F("created_at"),
                models.F("id"),
                name="entry_by_place_in_year",
                condition=models.Q(deleted_at=None),
            ),
            models.Index(
                fields=["owner", "first_day"],
                name="entry_moved",
                condition=models.Q(first_day__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "keep_key"], name="entry_kept_once")
        ]

    def __str__(self) -> str:
        return f"Entry {self.id}"

    @property
    def is_trusted(self) -> bool:
        """Whether the owner wrote or claimed the text; the origin is authenticated with the text."""
        return self.origin in TRUSTED_ORIGINS


class Version(SealedModel):
    """The text of an entry before an edit."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="versions", db_index=False)
    revision = models.PositiveIntegerField()
    text = SealedTextField(
        label="diary.version.text",
        bound={"entry_id": "diary.version.entry", "revision": "diary.version.revision"},
    )
    written_at = models.DateTimeField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-revision",)
        indexes: ClassVar = [models.Index(fields=["owner", "replaced_at"], name="version_by_age")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "revision"], name="version_once_per_revision")
        ]

    def __str__(self) -> str:
        return f"Version {self.id}"
