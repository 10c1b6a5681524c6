"""What the model makes of days, and what a person wishes of it.

Opening      the first lines of a day, drawn from the days before it
Recap        one to three sentences about a finished day, good for as long as its entries are the same
OwnKind      a way of answering that a person put into words of their own
Preferences  whether openings are made
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from llamora.fields import SealedJSONField, SealedModel, SealedTextField


class Opening(SealedModel):
    """The first lines of a day. Written once it is whole; one that was dismissed has no words any more."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    text = SealedTextField(label="diary.opening.text", bound={"day": "diary.opening.day"})
    # Which days and entries were read for it: see `diary.reading`.
    read = SealedJSONField(label="diary.opening.read", bound={"day": "diary.opening.day"}, null=True)
    is_dismissed = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "day"], name="opening_per_day")]

    def __str__(self) -> str:
        return f"Opening {self.id}"


class Recap(SealedModel):
    """A finished day in short: `text`, and the keyed `digest` of the entries it was made from."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    body = SealedJSONField(label="diary.recap.body", bound={"day": "diary.recap.day"})
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "day"], name="recap_per_day")]

    def __str__(self) -> str:
        return f"Recap {self.id}"


class Preferences(models.Model):
    """What a person wishes of the model; without a row, all of it as it comes."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    makes_openings = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"Preferences of {self.owner_id}"
