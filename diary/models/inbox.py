"""Database models of texts that wait in the Inbox, and of claims that an import is its owner's own.

InboxItem    a text that its owner can accept as an entry or delete
InboxBox     a text that arrived while its owner's diary was locked, sealed to their public key
ImportClaim  a claim that a whole import is its owner's own, until all its entries are updated
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models.entries import Origin
from llamora.fields import MacField, SealedJSONField, SealedModel, new_id


class InboxItem(SealedModel):
    """A text for a day that waits in the Inbox; if it is accepted, it becomes an entry of the same origin."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    origin = models.CharField(max_length=16, choices=Origin.choices, editable=False)
    # See `diary.inbox.inbox_text`.
    body = SealedJSONField(
        label="diary.inbox_item.body",
        bound={"day": "diary.inbox_item.day", "origin": "diary.inbox_item.origin"},
    )
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)
    mac = MacField(
        label="diary.inbox_item.mac",
        bound={"deleted_at": "diary.inbox_item.deleted_at", "created_at": "diary.inbox_item.created_at"},
    )

    class Meta:
        verbose_name = "inbox item"
        ordering = ("created_at", "id")
        indexes: ClassVar = [
            models.Index(fields=["owner", "deleted_at", "created_at", "id"], name="inbox_item_by_owner")
        ]

    def __str__(self) -> str:
        return f"Inbox item {self.id}"


class InboxBox(models.Model):
    """A text that arrived while its owner's diary was locked, sealed to their public key.

    Its MAC shows at the next unlock who sent it. See `diary.inbox.boxes`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    # No foreign key: whoever sent it may be gone when the diary is unlocked.
    sender_id = models.UUIDField()
    box = models.BinaryField()
    mac = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "inbox boxes"

    def __str__(self) -> str:
        return f"Inbox box {self.id}"


class ImportClaim(SealedModel):
    """A person's claim that all entries of an import are their own, saved until the entries are updated.

    So a restart of the server continues the update. The claim is sealed, so that nobody else can
    make it. See `diary.origins.services`.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    body = SealedJSONField(label="diary.import_claim.body")

    class Meta:
        verbose_name = "import claim"

    def __str__(self) -> str:
        return f"Import claim {self.id}"
