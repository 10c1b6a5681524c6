"""Tables of openings and recaps, which the language model writes from the entries of whole days.

Opening  text at the start of a day, written by the model from earlier days
Recap    one to three sentences about a past day, valid until one of its entries changes
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from llamora.fields import SealedJSONField, SealedModel, SealedTextField


class Opening(SealedModel):
    """A text of the model at the top of a day, saved when it is complete. A dismissed opening has no text."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    text = SealedTextField(label="diary.opening.text", bound={"day": "diary.opening.day"})
    # Its prompt record: see `diary.generation.prompt_record`.
    read = SealedJSONField(label="diary.opening.read", bound={"day": "diary.opening.day"}, null=True)
    is_dismissed = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "day"], name="opening_per_day")]

    def __str__(self) -> str:
        return f"Opening {self.id}"


class Recap(SealedModel):
    """A summary of a past day.

    Its body: {"text", "digest" of the entries it was made from, "entries": their ids, "author", "clean"};
    "clean" is true if the entries were their owner's own. Older recaps lack "entries", or the last three
    keys.
    """

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
